"""Files from elsewhere: fetched whole and verified, unpacked without trusting them."""
