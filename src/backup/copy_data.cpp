#include "backup/copy_data.hpp"

#include "backup/sealed.hpp"
#include "base/log.hpp"

namespace boathouse::backup {
namespace {

constexpr double kMegabyte = 1e6;

// A data file as it is read: at the pace that is allowed, and of the size that the catalog says.
class DataFileSource final : public Source {
  public:
    DataFileSource(std::unique_ptr<Source> below, const DataFile& file, Throttle& throttle)
        : below_(std::move(below)), file_(file), throttle_(throttle) {}
    Result<std::size_t> read(char* buffer, std::size_t size) override {
        auto count = below_->read(buffer, size);
        if (!count) return count;
        bytes_ += static_cast<long long>(*count);
        if (*count == 0 && file_.bytes >= 0 && bytes_ != file_.bytes) {
            return Error{ErrorKind::corrupt,
                         fmt::format("the data file {} is {} bytes, and {} by the lake's catalog", file_.path, bytes_,
                                     file_.bytes),
                         "The lake itself is damaged there: bring the file back from another copy, or restore an "
                         "earlier backup. A backup without --with-data can be made meanwhile.",
                         ""};
        }
        throttle_.moved(static_cast<long long>(*count));
        return count;
    }

  private:
    std::unique_ptr<Source> below_;
    const DataFile& file_;
    Throttle& throttle_;
    long long bytes_ = 0;
};

Error gone(const std::string& path) {
    return {ErrorKind::not_found, "the data file " + path + " is gone, and the lake's catalog names it",
            "If somebody has just deleted files of the lake, make the backup again. Else the lake itself is damaged: "
            "bring the file back from another copy. A backup without --with-data can be made meanwhile.",
            ""};
}

}  // namespace

DataCopier::DataCopier(const Store& store, const config::Settings& settings, std::string data_path)
    : store_(store),
      settings_(settings),
      data_path_(std::move(data_path)),
      key_id_(key_id(settings.backup_key)),
      lake_(settings),
      throttle_(static_cast<double>(settings.backup_rate_mb) * kMegabyte) {}

Result<std::unique_ptr<DataCopier>> DataCopier::open(const Store& store, const config::Settings& settings,
                                                     std::string data_path) {
    std::unique_ptr<DataCopier> copier(new DataCopier(store, settings, std::move(data_path)));
    if (auto learned = copier->learn_what_is_there(); !learned) return learned.error();
    return copier;
}

Status DataCopier::learn_what_is_there() {
    const std::string directory = copies_directory(key_id_);
    if (auto removed = store_.remove_unfinished(directory); !removed) return removed;
    const auto entries = store_.list_all(directory);
    if (!entries) return entries.error();
    for (const Entry& entry : *entries) there_[directory + "/" + entry.name] = entry.bytes;
    const auto manifests = read_manifests(store_);
    if (!manifests) return manifests.error();
    for (const Manifest& manifest : *manifests) {
        if (!manifest.data || manifest.key_id != key_id_) continue;
        auto copies = read_copies(store_, manifest, settings_.backup_key);
        if (!copies) return copies.error();
        known_.merge(*copies);
    }
    return {};
}

long long DataCopier::bytes() const {
    long long sum = 0;
    for (const auto& [path, copy] : copies_) sum += copy.digest.bytes;
    return sum;
}

// A copy that an earlier backup names, if it still lies there whole.
bool DataCopier::reuse(const std::string& path, long long bytes) {
    const auto known = known_.find(path);
    if (known == known_.end() || (bytes >= 0 && known->second.digest.bytes != bytes)) return false;
    const auto there = there_.find(known->second.name);
    if (there == there_.end() || there->second != stored_bytes(known->second, key_id_)) return false;
    copies_.insert(*known);
    return true;
}

// A copy that no backup names was finished by one that was killed later: it counts if it is the same.
Result<bool> DataCopier::adopt_leftover(const DataFile& file, const std::string& path) {
    const std::string name = copy_name(path, key_id_);
    if (!there_.contains(name)) return false;
    auto source = open_copy(store_, name, settings_.backup_key);
    const auto digest = source ? digest_of(**source) : Result<Digest>(source.error());
    if (digest && digest->bytes == file.bytes && !known_.contains(path)) {
        copies_[path] = {name, *digest};
        return true;
    }
    if (!digest && digest.error().kind == ErrorKind::unavailable) return digest.error();
    if (auto removed = store_.remove(name); !removed) return removed.error();
    there_.erase(name);
    return false;
}

Status DataCopier::copy_file(const DataFile& file, const std::string& path) {
    const auto adopted = adopt_leftover(file, path);
    if (!adopted) return adopted.error();
    if (*adopted) return {};
    auto below = lake_.read(file.path);
    if (!below) return below.error();
    DataFileSource source(std::move(*below), file, throttle_);
    DataCopy copy{copy_name(path, key_id_), {}};
    auto digest = store_copy(store_, copy.name, settings_.backup_key, source);
    if (!digest) return digest.error();
    copy.digest = std::move(*digest);
    new_bytes_ += copy.digest.bytes;
    there_[copy.name] = stored_bytes(copy, key_id_);
    copies_[path] = std::move(copy);
    return {};
}

Status DataCopier::copy_files(const std::vector<DataFile>& files, Gone may_be_gone) {
    elsewhere_ = 0;
    for (const DataFile& file : files) {
        const auto path = path_in_lake(file.path, data_path_);
        if (!path) {
            ++elsewhere_;
            continue;
        }
        if (copies_.contains(*path) || reuse(*path, file.bytes)) continue;
        auto copied = copy_file(file, *path);
        if (copied) continue;
        if (copied.error().kind != ErrorKind::not_found) return copied;
        // What no snapshot refers to may be deleted at any time.
        if (may_be_gone == Gone::refused && file.bytes >= 0) return gone(file.path);
    }
    return {};
}

}  // namespace boathouse::backup
