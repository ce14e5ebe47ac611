"""Rollouts and evaluation in shards: what one gives depends on the shard, the call and the weights alone.

So it does not matter which process or machine computes a shard, how often it was begun, or what that process
did before: a worker that is killed loses nothing and changes nothing.
"""
