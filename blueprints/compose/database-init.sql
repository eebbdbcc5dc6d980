-- Run once, when the database is made. The runtime's role owns nothing, cannot get around row level security and
-- makes no roles of its own.
\set password `cat /run/secrets/database-password`
CREATE ROLE {{{user}}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE {{{database}}};
REVOKE ALL ON DATABASE {{{database}}} FROM PUBLIC;
GRANT CONNECT, CREATE ON DATABASE {{{database}}} TO {{{user}}};
