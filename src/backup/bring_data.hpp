// The data files of a restored lake, brought from their copies to a data path of its own.
//
// Each file that the restored catalog names comes from a copy that some backup in the store names, else, if it is newer
// than the last of those, from where the old lake has it; what is in neither place is told and left out. Then the
// catalog is told where its files are. The destination must be empty. Unless keep() is called, what was brought is
// removed again. One thread. Errors: conflict (the destination is not empty), permission (the key, the destination),
// limit (it is full), unavailable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backup/data_copies.hpp"
#include "backup/data_files.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::backup {

struct BringOptions {
    const Store& store;
    const config::Settings& settings;  // with the key of the backups, and the store's of S3
    std::string destination;           // ends with '/'
    const Manifest& backup;            // whose copies are looked at first
    const std::vector<Manifest>& backups;
};

class DataBringer {
  public:
    // Opens the destination and reads the lists.
    static Result<std::unique_ptr<DataBringer>> open(const BringOptions& options);
    DataBringer(const DataBringer&) = delete;
    DataBringer& operator=(const DataBringer&) = delete;
    ~DataBringer();

    // What the catalog names; `data_path`: the old lake's. Files elsewhere stay there, and are looked for.
    Result<FileFindings> bring(const std::vector<DataFile>& files, const std::string& data_path);

    // How many of them lie elsewhere, so that another lake may use them too.
    long long elsewhere() const { return elsewhere_; }
    void keep() { brought_.clear(); }

  private:
    DataBringer(const BringOptions& options, std::unique_ptr<Store> destination)
        : options_(options), lake_(options.settings), destination_(std::move(destination)) {}
    Status read_lists();
    // Empty: it is there now. Else what is wrong with it.
    Result<std::string> bring_file(const DataFile& file, const std::string& path);
    Result<std::string> write_file(Source& source, const DataFile& file, const std::string& path,
                                   const std::string& sha256);

    const BringOptions options_;
    LakeFiles lake_;
    const std::unique_ptr<Store> destination_;
    DataCopies copies_;
    std::vector<std::string> brought_;
    long long elsewhere_ = 0;
};

// The catalog names its files below `destination` from now on, and has none left to delete.
Status move_lake(catalog::Connection& lake, const std::string& data_path, const std::string& destination);

}  // namespace boathouse::backup
