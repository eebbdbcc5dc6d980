-- Run once, when the database is made. The runtime's role owns nothing, cannot get around row level security and
-- makes no roles of its own.
\set password `cat /run/secrets/database-password`
CREATE ROLE caisson LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE caisson;
REVOKE ALL ON DATABASE caisson FROM PUBLIC;
GRANT CONNECT, CREATE ON DATABASE caisson TO caisson;
