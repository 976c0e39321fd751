// The place that backups go to: a directory, in which a file is there whole and durable or not at all.
//
// A file is written under another name (*.unfinished), made durable and renamed, so that a process that is killed, or a
// disk that is full, leaves what was there before. Files are private (0600, directories 0700): a catalog holds the
// verifiers of passwords, and the keys of an encrypted lake. Names are relative, with '/'. Blocking; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backup/bytes.hpp"
#include "base/error.hpp"

namespace boathouse::backup {

struct Entry {
    std::string name;  // without its directory's
    long long bytes = 0;
    double modified_unix = 0;
    bool is_directory = false;
};

class Store {
  public:
    // For writing: makes the directory. Errors: permission, limit (disk full).
    static Result<Store> make(const std::string& directory);
    // For reading. Errors: not_found.
    static Result<Store> open(const std::string& directory);

    const std::string& directory() const { return directory_; }
    std::string path(const std::string& name) const { return directory_ + "/" + name; }

    // Directories on the way are made. Errors: conflict (the name is there: nothing is ever overwritten), limit.
    Result<std::unique_ptr<Sink>> create(const std::string& name) const;
    // Errors: not_found, permission.
    Result<std::unique_ptr<Source>> read(const std::string& name) const;

    // A small text, whole.
    Status write_text(const std::string& name, std::string_view text) const;
    Result<std::string> read_text(const std::string& name) const;

    bool has(const std::string& name) const;
    // What lies in a directory, by name, without what is unfinished; nothing where there is no such directory.
    Result<std::vector<Entry>> list(const std::string& directory) const;
    // A file, or a directory with all that is in it. What is not there is removed already.
    Status remove(const std::string& name) const;
    Status rename(const std::string& from, const std::string& to) const;
    // What a process that was killed has left in a directory.
    Status remove_unfinished(const std::string& directory) const;

  private:
    explicit Store(std::string directory) : directory_(std::move(directory)) {}
    std::string directory_;
};

// The end of a name that does not count yet.
inline constexpr std::string_view kUnfinished = ".unfinished";

// Any file of this machine. Errors: not_found, permission.
Result<std::unique_ptr<Source>> read_local_file(const std::string& path);

// A new file, private, that counts once it is finished; what was there is replaced only by a caller that says so.
enum class Existing { refused, replaced };
Result<std::unique_ptr<Sink>> create_local_file(const std::string& path, Existing existing);

}  // namespace boathouse::backup
