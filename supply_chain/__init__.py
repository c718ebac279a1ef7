"""What the gateway is made of, by others: what is locked, whether something of it is known to be malicious, under which
licences it is, and whether a secret has slipped into the tree. Run by `make`; nothing of it runs in the gateway.

locks        what the lock files and the compose file name
known_bad    the releases of known_bad.toml, looked for in all locks
sbom         a bill of materials in CycloneDX's form
notices      THIRD_PARTY_NOTICES.txt: the licences of what is locked
licences     the licence that a package names
secret_scan  keys and passwords in the files of the repository
"""
