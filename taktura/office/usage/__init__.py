"""Pages of usage: has everything arrived, what does not match, why?"""
