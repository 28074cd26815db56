"""The actions of the stock project that the channel is compared with."""
