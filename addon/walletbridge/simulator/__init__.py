"""
Plays the game provider against any callback URL and reports each answer that breaks a rule of the protocol.
"""
