"""
The provider, played: calls any callback URL as the game provider does, and reports where the answers break a rule.
"""
