// What people copy to get in: the ATTACH statement of a DuckDB client, the psql command, the health check's URL.
//
// Made from a Settings alone, quoted for where they are pasted: libpq's conninfo inside a SQL literal, a URL inside a
// shell word. The password is in the ATTACH statement when the caller gives it, and never in the psql command, which
// would show it in the process list; psql asks for it.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/settings.hpp"

namespace boathouse::config {

// The lake's name: behind AS in ATTACH, and as a database at the SQL door.
inline constexpr const char* kLakeName = "lake";

// The host to name in a text that is read on this machine: "localhost" for loopback and for all addresses.
std::string local_host(const Settings& settings);

// The password of POSTGRES_USER as far as this process may know it: given, or read from the file of the one that was
// generated; empty when there is none. Errors: permission (the file is another user's).
Result<Secret> client_password(const Settings& settings);

// "ATTACH 'ducklake:postgres:host=… port=… user=… password=… dbname=…' AS lake;" With an empty password the word is
// left out, and libpq looks for one in PGPASSWORD and the pgpass file. With an external catalog, host, port and
// database are those of its URL, and `host` is not used.
std::string attach_statement(const Settings& settings, const std::string& host, const Secret& password);

// "psql 'postgresql://user@host:5433/lake'", for a shell.
std::string psql_command(const Settings& settings, const std::string& host);

// "http://host:8080/readyz"
std::string health_url(const Settings& settings, const std::string& host);

}  // namespace boathouse::config
