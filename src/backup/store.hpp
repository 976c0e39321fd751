// The place that backups go to: a directory or a bucket, in which a file is there whole and durable or not at all.
//
// Files are private: a catalog holds the verifiers of passwords, and the keys of an encrypted lake. Nothing is ever
// overwritten. Names are relative, with '/'. Blocking; a store is one thread's. Errors, beside those that are named:
// permission, unavailable, limit (no room).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backup/bytes.hpp"
#include "base/error.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

struct Entry {
    std::string name;  // without its directory's
    long long bytes = 0;
    bool is_directory = false;
};

class Store {
  public:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;

    // "/mnt/backup/lake", "s3://bucket/lake"; and what is in it, for messages.
    virtual std::string place() const = 0;
    std::string path(const std::string& name) const { return place() + "/" + name; }

    // Directories on the way are made. Errors: conflict (the name is there).
    virtual Result<std::unique_ptr<Sink>> create(const std::string& name) const = 0;
    // Errors: not_found.
    virtual Result<std::unique_ptr<Source>> read(const std::string& name) const = 0;
    // A file.
    virtual Result<bool> has(const std::string& name) const = 0;
    // What lies in a directory, by name, without what is unfinished; nothing where there is no such directory.
    virtual Result<std::vector<Entry>> list(const std::string& directory) const = 0;
    // All files below a directory, at any depth, their names without the directory's; in no order.
    virtual Result<std::vector<Entry>> list_all(const std::string& directory) const = 0;
    // A file, or a directory with all that is in it. What is not there is removed already.
    virtual Status remove(const std::string& name) const = 0;
    // What a process that was killed while it wrote has left in a directory, at any depth.
    virtual Status remove_unfinished(const std::string& directory) const = 0;

    // A small text, whole.
    Status write_text(const std::string& name, std::string_view text) const;
    Result<std::string> read_text(const std::string& name) const;
};

// The settings' backup_to. For writing: a directory is made, a bucket is not. Errors: configuration (no key for S3).
Result<std::unique_ptr<Store>> make_store(const config::Settings& settings);
// For reading. Errors: not_found (no such directory).
Result<std::unique_ptr<Store>> open_store(const config::Settings& settings);
// A lake's data path, a directory or an s3:// URL, in which files are as public as a lake's are.
Result<std::unique_ptr<Store>> make_lake_store(const std::string& data_path, const config::Settings& settings);

}  // namespace boathouse::backup
