#include "upgrade/swap.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "base/file.hpp"
#include "supervisor/postgres_installation.hpp"

namespace boathouse::upgrade {
namespace {

namespace fs = std::filesystem;

std::string waiting(const std::string& pgdata) {
    return pgdata + ".upgraded";
}

Status make_names_durable(const std::string& pgdata) {
    const FileDescriptor parent(::open(fs::path(pgdata).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent || ::fsync(parent.get()) != 0) return os_error("cannot make the name " + pgdata + " durable", errno);
    return {};
}

Status rename(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
        return os_error("cannot rename " + from + " to " + to, errno);
    }
    return make_names_durable(to);
}

Status exchange_names(const std::string& one, const std::string& other) {
    if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0) {
        return make_names_durable(one);
    }
    if (errno != EINVAL && errno != ENOSYS) return os_error("cannot exchange " + one + " and " + other, errno);
    return Error{ErrorKind::unavailable, "the file system of " + one + " cannot exchange the names of two directories",
                 "Nothing was changed. With the box stopped, rename " + one + " to another name, and then " + other +
                     " to " + one + ".",
                 ""};
}

Result<int> major_of(const std::string& pgdata) {
    const auto major = supervisor::cluster_major(pgdata);
    if (!major) return major.error();
    if (!*major) return Error{ErrorKind::not_found, "there is no cluster in " + pgdata, "", ""};
    return **major;
}

// From the exchange on the old cluster has the waiting one's name.
Status set_old_aside(const std::string& pgdata) {
    const auto old = major_of(waiting(pgdata));
    if (!old) return old.error();
    return rename(waiting(pgdata), set_aside_name(pgdata, *old));
}

// A way back that was cut short has left the newer cluster under the older one's name.
Status name_after_version(const std::string& aside, const std::string& pgdata) {
    if (!fs::exists(aside)) return {};
    const auto major = major_of(aside);
    if (!major) return major.error();
    const std::string name = set_aside_name(pgdata, *major);
    return name == aside ? Status() : rename(aside, name);
}

}  // namespace

std::string set_aside_name(const std::string& pgdata, int major) {
    return pgdata + "." + std::to_string(major);
}

Result<std::string> settle(const std::string& pgdata) {
    const auto in_use = major_of(pgdata);
    if (!in_use) return in_use.error();
    if (auto named = name_after_version(set_aside_name(pgdata, *in_use), pgdata); !named) return named.error();
    if (!fs::exists(waiting(pgdata))) return std::string();
    const auto other = major_of(waiting(pgdata));
    if (!other) return other.error();
    if (*other < *in_use) {
        if (auto aside = set_old_aside(pgdata); !aside) return aside.error();
        return "an upgrade that was cut short had already come into use; the old cluster is set aside in " +
               set_aside_name(pgdata, *other);
    }
    std::error_code failed;
    fs::remove_all(waiting(pgdata), failed);
    if (failed) return os_error("cannot remove " + waiting(pgdata), failed.value());
    return "removed " + waiting(pgdata) + ", of an upgrade that was cut short";
}

Status put_in_use(const std::string& pgdata) {
    const auto old = major_of(pgdata);
    if (!old) return old.error();
    if (fs::exists(set_aside_name(pgdata, *old))) {
        return Error{ErrorKind::conflict, set_aside_name(pgdata, *old) + " is there from an earlier upgrade",
                     "Move it away, or remove it if nobody needs to go back to it.", ""};
    }
    if (auto named = rename(pgdata + ".new", waiting(pgdata)); !named) return named;
    if (auto exchanged = exchange_names(pgdata, waiting(pgdata)); !exchanged) return exchanged;
    return set_old_aside(pgdata);
}

Result<std::optional<int>> version_set_aside(const std::string& pgdata) {
    const fs::path place(pgdata);
    const std::string prefix = place.filename().string() + ".";
    std::optional<int> found;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(place.parent_path(), failed)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) continue;
        int major = 0;
        const auto [end, code] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), major);
        if (code != std::errc() || end != name.data() + name.size()) continue;
        if (found) {
            return Error{
                ErrorKind::conflict,
                "both " + set_aside_name(pgdata, *found) + " and " + set_aside_name(pgdata, major) + " are set aside",
                "Move away the one that you do not want.", ""};
        }
        found = major;
    }
    if (failed) return os_error("cannot read " + place.parent_path().string(), failed.value());
    return found;
}

Status go_back(const std::string& pgdata, int major) {
    const auto present = major_of(pgdata);
    if (!present) return present.error();
    const std::string aside = set_aside_name(pgdata, major);
    if (auto checked = major_of(aside); !checked) return checked.error();
    if (auto exchanged = exchange_names(pgdata, aside); !exchanged) return exchanged;
    return rename(aside, set_aside_name(pgdata, *present));
}

}  // namespace boathouse::upgrade
