"""What carries requests, over real sockets.

Times are bounded from below where waiting is the point, and from above only against hanging.
"""
