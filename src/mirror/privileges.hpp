// Who owns what in the mirror and who may do what with it: the one thing there that the lake cannot tell.
//
// It is written down in the box's own database (catalog/box_database.hpp, schema "mirror") after each change that came
// through the SQL door and at each start, and put back into a mirror that was made anew before anybody is let near it.
// What a privilege belongs to is told by the object's number in the lake and by its UUID, never by its name. A crash
// between a change and its being written down loses nothing unless the mirror is lost too before the next start.
//
// Blocking; one thread, under the mirror's own lock. Errors: those of Connection.
#pragma once

#include <string>
#include <vector>

#include "access/needs.hpp"
#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::mirror {

// SQL that a superuser runs once in a new mirror: the functions that this file calls.
extern const char* const kPrivilegeFunctions;

// Owners whose objects boathouse_mirror could not alter: a client has given something to another role.
Result<std::vector<std::string>> strange_owners(catalog::Connection& mirror);
// Makes it a member of them. `mirror` as the superuser.
Status act_for(catalog::Connection& mirror, const std::vector<std::string>& owners);

// `mirror` as boathouse_mirror, `lake` as the engine, `box` in the box's database.
Status keep_privileges(catalog::Connection& mirror, catalog::Connection& lake, catalog::Connection& box);

// `mirror` as the superuser. Roles that are gone meanwhile are left out. Marks the mirror as ready for clients.
Status restore_privileges(catalog::Connection& mirror, catalog::Connection& lake, catalog::Connection& box);

// Makes `role` the owner of what it made in a snapshot, with its default privileges. `mirror` as the superuser, already
// showing that snapshot. What somebody else has altered or replaced since is left alone.
struct Making {
    std::string role;
    std::string snapshot;
    std::vector<access::Made> made;
};
Status hand_over(catalog::Connection& mirror, catalog::Connection& lake, const Making& making);

}  // namespace boathouse::mirror
