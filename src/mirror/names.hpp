// How the lake's names become PostgreSQL's, in the mirror.
//
// A name stays as it is where PostgreSQL takes it. One of more than 63 bytes, or one that PostgreSQL keeps for itself
// (a schema pg_…, a column xmin), gets "~" and the object's number in the lake at its end: unique, and the same at each
// rebuild. The lake's schema main is called public, which is what clients have written into them, unless the lake has
// a schema called public itself. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace boathouse::mirror {

inline constexpr std::size_t kIdentifierBytesMax = 63;  // NAMEDATALEN - 1

std::string relation_name(std::string_view lake_name, long long id);
std::string column_name(std::string_view lake_name, long long id);

struct SchemaNaming {
    bool lake_has_public = false;
};
std::string schema_name(std::string_view lake_name, long long id, SchemaNaming naming);

}  // namespace boathouse::mirror
