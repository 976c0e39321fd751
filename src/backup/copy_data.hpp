// The lake's data files on their way into the store: each is copied once, whichever backups name it.
//
// What is there already is not copied again: the copies that earlier backups name, and those that a killed backup has
// left, which are read and compared. Bounded in bytes a second. One thread. Errors: not_found (a file that the lake's
// catalog names is gone), corrupt (it is not of its size), those of objects.hpp.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backup/data_copies.hpp"
#include "backup/data_files.hpp"
#include "backup/throttle.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

class DataCopier {
  public:
    // `store` and `settings` must outlive it.
    static Result<std::unique_ptr<DataCopier>> open(const Store& store, const config::Settings& settings,
                                                    std::string data_path);

    // May a file be gone by now? One that was listed before the catalog's backup may; one listed after it may not.
    enum class Gone { allowed, refused };
    Status copy_files(const std::vector<DataFile>& files, Gone gone);

    const DataCopies& copies() const { return copies_; }
    long long bytes() const;
    long long new_bytes() const { return new_bytes_; }
    long long elsewhere() const { return elsewhere_; }  // files that are not in the data path, and not copied

  private:
    DataCopier(const Store& store, const config::Settings& settings, std::string data_path);
    Status learn_what_is_there();
    bool reuse(const std::string& path, long long bytes);
    Status copy_file(const DataFile& file, const std::string& path);
    Result<bool> adopt_leftover(const DataFile& file, const std::string& path);

    const Store& store_;
    const config::Settings& settings_;
    const std::string data_path_;
    const std::string key_id_;
    LakeFiles lake_;
    Throttle throttle_;
    DataCopies known_;                        // of earlier backups with this key
    std::map<std::string, long long> there_;  // in the store: bytes by name
    DataCopies copies_;                       // of this one
    long long new_bytes_ = 0;
    long long elsewhere_ = 0;
};

}  // namespace boathouse::backup
