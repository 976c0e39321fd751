// The box's access to what direct clients write into a local lake.
//
// A direct client writes Parquet files and directories as its own user. A default access list on lake/ names the box's
// user in each of them, but DuckDB makes its directories with mode 0755, which masks the list's right to write: in a
// table that root's client has made first, the engine could neither insert nor clean up. So a box that was started as
// root keeps one capability, CAP_FOWNER, in the supervisor alone (no child inherits it), watches the lake's directories
// and lifts the mask of each new one. Owned by the supervisor's one thread; where there are no access lists or no such
// capability, the lake works for clients that run as the box's user.
#pragma once

#include <map>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "supervisor/box_user.hpp"

namespace boathouse::supervisor {

// Gives `user` all rights, by default and by name, on what will be created in the directory. Errors: not_found where
// the file system has no access lists, permission.
Status grant_default_access(const std::string& directory, const BoxUser& user);

class LakeAccess {
  public:
    // Looks after `directory` and all directories below it, from now on. REQUIRES: CAP_FOWNER.
    static Result<LakeAccess> watch(const std::string& directory);

    // Readable when a directory may have been made; then call lift_new_masks().
    int fd() const { return events_.get(); }
    void lift_new_masks();

  private:
    LakeAccess(FileDescriptor root, FileDescriptor events, std::string directory)
        : root_(std::move(root)), events_(std::move(events)), directory_(std::move(directory)) {}
    void look_after(const std::string& place);

    FileDescriptor root_;
    FileDescriptor events_;  // inotify
    std::string directory_;
    std::map<int, std::string> places_;  // a watch's directory, relative to the root; bounded by max_user_watches
    bool is_full_ = false;               // the bound was reached, and said so
};

}  // namespace boathouse::supervisor
