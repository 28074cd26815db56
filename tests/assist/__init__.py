"""The assistant against servers that help, fail, lie and obey whoever attacks."""
