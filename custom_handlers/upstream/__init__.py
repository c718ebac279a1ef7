"""StackSpot's two protocols.

agents_api, key_api     a question in, events out
credentials             access tokens of the Agents API
uploads, remote_files   images and files, for the Agents API
"""
