"""Makes the network that reads expressions from landmarks (role `expression_reader`)."""
