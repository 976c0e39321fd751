// Whether the doors' ports can be had, and who has them if not.
//
// Asked before anything is started, so that a box fails whole and with a name, not half-way with PostgreSQL's "could
// not create any TCP/IP sockets". Reads /proc; the owner of a socket is only visible to root and to the owner's user.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace boathouse::supervisor {

struct Door {
    std::string name;    // "catalog"
    std::string option;  // "--catalog-port"
    std::int64_t port = 0;
};

// Tries to bind each door on `address`; one message names all that are taken. Errors: conflict, permission (a port
// below 1024), configuration (not an address of this machine).
Status check_ports(const std::string& address, const std::vector<Door>& doors);

// "process 812 (postgres)", or "another user's process"; empty when nothing listens there.
std::string port_holder(std::int64_t port);

}  // namespace boathouse::supervisor
