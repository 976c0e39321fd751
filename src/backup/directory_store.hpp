// Backups in a directory of this machine, or of one that is mounted.
#pragma once

#include <memory>
#include <string>

#include "backup/local_file.hpp"
#include "backup/store.hpp"

namespace boathouse::backup {

class DirectoryStore final : public Store {
  public:
    // Makes the directory. Errors: permission, limit.
    static Result<std::unique_ptr<Store>> make(const std::string& directory, Readers readers);
    // Errors: not_found.
    static Result<std::unique_ptr<Store>> open(const std::string& directory);

    DirectoryStore(std::string directory, Readers readers) : directory_(std::move(directory)), readers_(readers) {}

    std::string place() const override { return directory_; }
    Result<std::unique_ptr<Sink>> create(const std::string& name) const override;
    Result<std::unique_ptr<Source>> read(const std::string& name) const override;
    Result<bool> has(const std::string& name) const override;
    Result<std::vector<Entry>> list(const std::string& directory) const override;
    Result<std::vector<Entry>> list_all(const std::string& directory) const override;
    Status remove(const std::string& name) const override;
    Status remove_unfinished(const std::string& directory) const override;

  private:
    const std::string directory_;
    const Readers readers_;
};

}  // namespace boathouse::backup
