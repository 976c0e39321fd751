#include "supervisor/ports.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

namespace fs = std::filesystem;

constexpr int kTcpListen = 10;  // 0A, TCP_LISTEN in /proc/net/tcp

// Inodes of the sockets that listen on the port, from one of /proc/net/tcp and tcp6. Columns: sl local_address
// rem_address st tx:rx tr:when retrnsmt uid timeout inode (proc(5)).
void collect_listeners(const char* table, std::int64_t port, std::set<std::string>& inodes) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::istringstream columns(line);
        std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
        columns >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
        const auto colon = local.rfind(':');
        if (colon == std::string::npos || inode.empty()) continue;
        if (std::stol(local.substr(colon + 1), nullptr, 16) != port) continue;
        if (std::stol(state, nullptr, 16) == kTcpListen) inodes.insert("socket:[" + inode + "]");
    }
}

bool holds_any(const fs::path& process, const std::set<std::string>& sockets) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(process / "fd", ignored)) {
        if (sockets.count(fs::read_symlink(entry.path(), ignored).string()) != 0) return true;
    }
    return false;
}

// The kernel's name of a process ends after 15 bytes (proc(5), comm); the program's own, where it begins alike, is
// whole.
std::string name_of(const fs::path& process) {
    std::string name;
    std::ifstream comm(process / "comm");
    std::getline(comm, name);
    std::string program;
    std::ifstream command_line(process / "cmdline");
    std::getline(command_line, program, '\0');
    program = fs::path(program).filename();
    return program.starts_with(name) ? program : name;
}

bool is_process(const fs::path& entry) {
    return entry.filename().string().find_first_not_of("0123456789") == std::string::npos;
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// Binds and lets go again. The errno of the first address that cannot be had, 0 if all can.
int try_bind(const addrinfo* addresses) {
    for (const addrinfo* one = addresses; one != nullptr; one = one->ai_next) {
        const FileDescriptor socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!socket) continue;  // no IPv6 on this machine
        const int on = 1;
        (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (one->ai_family == AF_INET6) (void)::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
        if (::bind(socket.get(), one->ai_addr, one->ai_addrlen) != 0 || ::listen(socket.get(), 1) != 0) return errno;
    }
    return 0;
}

Error not_an_address(const std::string& address, const std::string& reason) {
    return Error{
        .kind = ErrorKind::configuration,
        .message = "cannot listen on '" + address + "': " + reason,
        .hint = "--listen takes an address of this machine: 127.0.0.1 for this machine alone, 0.0.0.0 for all"};
}

// The lowest port that a user without privileges may have (ip(7)), which is what the box runs as.
std::int64_t unprivileged_port_min() {
    std::ifstream file("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    std::int64_t port = 1024;
    file >> port;
    return port;
}

Status check_port(const std::string& address, const Door& door) {
    if (door.port < unprivileged_port_min()) {
        return Error{.kind = ErrorKind::permission,
                     .message = "port " + std::to_string(door.port) + " (" + door.name + ") is reserved for root",
                     .hint = "choose a port from " + std::to_string(unprivileged_port_min()) + " with " + door.option};
    }
    addrinfo wanted{};
    wanted.ai_flags = AI_PASSIVE;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const char* node = address == "*" ? nullptr : address.c_str();
    const int failure = ::getaddrinfo(node, std::to_string(door.port).c_str(), &wanted, &found);
    if (failure != 0) return not_an_address(address, ::gai_strerror(failure));
    const Addresses addresses(found, &::freeaddrinfo);
    const int error_number = try_bind(addresses.get());
    if (error_number == 0) return {};
    const std::string port = std::to_string(door.port);
    if (error_number == EADDRNOTAVAIL) return not_an_address(address, "this machine does not have it");
    if (error_number != EADDRINUSE) return os_error("cannot listen on " + address + " port " + port, error_number);
    const std::string holder = port_holder(door.port);
    return Error{.kind = ErrorKind::conflict,
                 .message = "port " + port + " (" + door.name + ") is taken" + (holder.empty() ? "" : " by " + holder),
                 .hint = "stop that process, or choose another port with " + door.option};
}

}  // namespace

std::string port_holder(std::int64_t port) {
    std::set<std::string> sockets;
    collect_listeners("/proc/net/tcp", port, sockets);
    collect_listeners("/proc/net/tcp6", port, sockets);
    if (sockets.empty()) return "";
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        if (!is_process(entry.path()) || !holds_any(entry.path(), sockets)) continue;
        return "process " + entry.path().filename().string() + " (" + name_of(entry.path()) + ")";
    }
    return "another user's process (as root: ss -ltnp 'sport = :" + std::to_string(port) + "')";
}

Status check_ports(const std::string& address, const std::vector<Door>& doors) {
    std::optional<Error> all;
    for (const auto& door : doors) {
        const auto checked = check_port(address, door);
        if (checked) continue;
        if (!all) {
            all = checked.error();
        } else {
            all->message += "; " + checked.error().message;
            if (all->hint != checked.error().hint) all->hint += "; " + checked.error().hint;
        }
    }
    if (all) return *all;
    return {};
}

}  // namespace boathouse::supervisor
