"""StackSpot's two APIs.

agents_api, key_api     a question in, events out
oauth                   access tokens of the Agents API
uploads, remote_files   images and files, for the Agents API
"""
