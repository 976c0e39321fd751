// The roles of a cluster, as pg_dumpall writes them, made fit for a server of another major version.
//
// Pure but for keep_role_administration().
#pragma once

#include <string>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::upgrade {

// From this version on a grantor must hold what he has granted, and CREATEROLE is a right over one's own roles only.
// https://www.postgresql.org/docs/16/release-16.html
inline constexpr int kMajorOfStrictGrants = 16;

// Without the superuser, whom every cluster of the box's has, and, before that version, without who granted what: those
// grantors need not have been entitled by the new rules, and the superuser grants in their place.
std::string portable_roles(const std::string& dumped, int from_major);

// Whoever could make roles could change every role but superusers. Lets them keep that over the roles that are there.
// For a cluster that comes from before that version.
Status keep_role_administration(catalog::Connection& superuser);

}  // namespace boathouse::upgrade
