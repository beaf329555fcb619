"""The live demo on the board: a source of pictures, a pipeline of threads, and a page on loopback.

``run`` is the process; ``pipeline`` the threads; ``server`` the page; ``sources`` one file a kind of camera.
"""
