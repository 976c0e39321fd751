// The box's access to what direct clients write into lake/.
//
// A direct client writes Parquet files as its own user; a default access list on lake/ gives the box's user its part of
// each of them, whatever the client's umask. Stateless; called once, at start, by root or the directory's owner.
#pragma once

#include <string>

#include "base/error.hpp"
#include "supervisor/box_user.hpp"

namespace boathouse::supervisor {

// Gives `user` all rights, by default and by name, on what will be created in the directory. Errors: not_found where
// the file system has no access lists, permission.
Status grant_default_access(const std::string& directory, const BoxUser& user);

}  // namespace boathouse::supervisor
