// Backups in a bucket: each file is an object under the URL's path, there whole or not at all as S3 has it.
//
// Small files are one request, larger ones come in parts while they are made. Reads are pieces of kReadBytes, so
// neither needs more memory than that. What a killed process has left are unfinished uploads. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backup/s3_client.hpp"
#include "backup/store.hpp"

namespace boathouse::backup {

class S3Store final : public Store {
  public:
    // `url`: s3://bucket/path.
    S3Store(std::unique_ptr<S3Client> client, const std::string& url);

    std::string place() const override { return place_; }
    Result<std::unique_ptr<Sink>> create(const std::string& name) const override;
    Result<std::unique_ptr<Source>> read(const std::string& name) const override;
    Result<bool> has(const std::string& name) const override;
    Result<std::vector<Entry>> list(const std::string& directory) const override;
    Result<std::vector<Entry>> list_all(const std::string& directory) const override;
    Status remove(const std::string& name) const override;
    Status remove_unfinished(const std::string& directory) const override;

  private:
    std::string key(const std::string& name) const { return prefix_ + name; }

    const std::unique_ptr<S3Client> client_;
    std::string place_;   // without a '/' at its end
    std::string prefix_;  // of keys: empty, or with a '/' at its end
};

}  // namespace boathouse::backup
