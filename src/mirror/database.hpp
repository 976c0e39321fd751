// The mirror's database itself: made, and made safe, before anything is shown in it.
//
// The database belongs to boathouse_mirror, the objects in it to the lake's owner. Clients come in as themselves, to
// read the system's catalogs; no role that they can have may create anything that another role could be made to run:
// an event trigger refuses all DDL that is not the mirror's own, and nobody may make temporary objects. What the mirror
// remembers of itself lies in the schema pg_boathouse, which clients' tools leave out as they leave out pg_catalog.
//
// Blocking; one thread. Errors: conflict (a database of that name that is not a mirror), those of Connection.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::mirror {

// Creates what is missing. A mirror of another format, or made for another owner of the lake, is dropped and made anew:
// what it holds can be derived again, but for privileges, which are written down elsewhere (privileges.hpp). REQUIRES:
// the box's own PostgreSQL, prepared (catalog::prepare_server).
Status prepare_database(const config::Settings& settings);

// The mirror as the superuser, to give its objects to roles that boathouse_mirror is no member of.
Result<catalog::Connection> connect_to_arrange(const config::Settings& settings);

}  // namespace boathouse::mirror
