"""A database for LiteLLM on one machine, without Docker.

local             the one in DATABASE_URL, else the embedded Postgres
postgres          the embedded server; postgres_user says which user it runs as, watching starts it again
prisma_engine     LiteLLM's database client and its engine
prisma-engine/    the engine for machines that Prisma's CDN is closed to
"""
