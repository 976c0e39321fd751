#include "supervisor/lake_access.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/acl.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <type_traits>

#include "base/log.hpp"

namespace boathouse::supervisor {
namespace {

struct AclFree {
    void operator()(acl_t list) const { ::acl_free(list); }
};
using AccessList = std::unique_ptr<std::remove_pointer_t<acl_t>, AclFree>;

// A directory below the root, reached through no symbolic link: a client could point one at a directory that is not its
// own (openat2(2)).
FileDescriptor open_below(int root, const std::string& place) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return FileDescriptor(static_cast<int>(::syscall(SYS_openat2, root, place.c_str(), &how, sizeof(how))));
}

// Makes the mask as wide as the entries that the directory has inherited; nobody gets a right that no entry names.
void lift_mask(int directory) {
    acl_t raw = ::acl_get_fd(directory);
    if (raw == nullptr) return;
    if (::acl_calc_mask(&raw) == 0) (void)::acl_set_fd(directory, raw);
    ::acl_free(raw);
}

}  // namespace

Status grant_default_access(const std::string& directory, const BoxUser& user) {
    const std::string text = "u::rwx,g::r-x,o::r-x,m::rwx,u:" + std::to_string(user.uid) + ":rwx";
    const AccessList list(::acl_from_text(text.c_str()));
    if (!list) return os_error("cannot make an access list", errno);
    if (::acl_set_file(directory.c_str(), ACL_TYPE_DEFAULT, list.get()) == 0) return {};
    Error error = os_error("cannot set a default access list on " + directory, errno);
    if (errno == ENOTSUP) error.kind = ErrorKind::not_found;
    error.hint = "the box may be refused what direct clients of other users write into the lake";
    return error;
}

Result<LakeAccess> LakeAccess::watch(const std::string& directory) {
    FileDescriptor root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return os_error("cannot open " + directory, errno);
    FileDescriptor events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!events) return os_error("cannot watch " + directory, errno);
    LakeAccess access(std::move(root), std::move(events), directory);
    access.look_after(".");
    return access;
}

// Watches first and looks second, so that a directory made meanwhile is seen by one of the two.
void LakeAccess::look_after(const std::string& place) {
    const FileDescriptor directory = open_below(root_.get(), place);
    if (!directory) return;  // removed again, or not a directory
    lift_mask(directory.get());
    const std::string path = "/proc/self/fd/" + std::to_string(directory.get());
    const int watch = ::inotify_add_watch(events_.get(), path.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    if (watch >= 0) {
        places_[watch] = place;
    } else if (!is_full_) {
        is_full_ = true;
        log_warning("supervisor", "cannot watch all of {} for directories of other users: {}", directory_,
                    os_error("fs.inotify.max_user_watches may be too low", errno).message);
    }
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
        if (entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
            look_after(place + "/" + entry.path().filename().string());
        }
    }
}

void LakeAccess::lift_new_masks() {
    alignas(inotify_event) char buffer[16384];
    ssize_t length = 0;
    while ((length = ::read(events_.get(), buffer, sizeof(buffer))) > 0) {
        for (ssize_t offset = 0; offset < length;) {
            const auto* event = reinterpret_cast<const inotify_event*>(buffer + offset);
            offset += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
            if ((event->mask & IN_Q_OVERFLOW) != 0) return look_after(".");
            const auto place = places_.find(event->wd);
            if (place == places_.end()) continue;
            if ((event->mask & IN_IGNORED) != 0) {
                places_.erase(place);
            } else if ((event->mask & IN_ISDIR) != 0) {
                look_after(place->second + "/" + event->name);
            }
        }
    }
}

}  // namespace boathouse::supervisor
