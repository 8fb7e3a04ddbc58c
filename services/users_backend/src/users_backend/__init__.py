"""The Users Backend: keeps users and signs the tokens that speak for them."""
