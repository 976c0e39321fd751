#include "backup/s3_store.hpp"

#include <algorithm>

namespace boathouse::backup {
namespace {

constexpr std::size_t kReadBytes = std::size_t{8} * 1024 * 1024;
// Of an upload's parts, of which there are 10,000 at most: what is longer has larger ones towards its end.
constexpr std::size_t kFirstPartBytes = std::size_t{8} * 1024 * 1024;
constexpr std::size_t kPartsOfASize = 1'000;

class ObjectSink final : public Sink {
  public:
    ObjectSink(S3Client& client, std::string key) : client_(client), key_(std::move(key)) {}
    ObjectSink(const ObjectSink&) = delete;
    ObjectSink& operator=(const ObjectSink&) = delete;
    ~ObjectSink() override {
        if (!is_finished_ && !upload_.id.empty()) (void)client_.abort_upload(upload_);  // else remove_unfinished() does
    }

    Status write(std::string_view bytes) override {
        part_.append(bytes);
        return part_.size() < part_bytes() ? Status() : send_part();
    }
    Status finish() override {
        if (upload_.id.empty()) {
            auto put = client_.put(key_, part_);
            is_finished_ = put.has_value();
            return put;
        }
        if (!part_.empty()) {
            if (auto sent = send_part(); !sent) return sent;
        }
        auto finished = client_.finish_upload(upload_);
        is_finished_ = finished.has_value();
        return finished;
    }

  private:
    std::size_t part_bytes() const { return kFirstPartBytes * (1 + upload_.parts.size() / kPartsOfASize); }
    Status send_part() {
        if (upload_.id.empty()) {
            auto begun = client_.begin_upload(key_);
            if (!begun) return begun.error();
            upload_ = std::move(*begun);
        }
        auto sent = client_.put_part(upload_, part_);
        part_.clear();
        return sent;
    }

    S3Client& client_;
    const std::string key_;
    S3Client::Upload upload_;  // its id is empty until the first part is full
    std::string part_;
    bool is_finished_ = false;
};

class ObjectSource final : public Source {
  public:
    ObjectSource(S3Client& client, std::string key, long long size)
        : client_(client), key_(std::move(key)), left_(size) {}
    Result<std::size_t> read(char* buffer, std::size_t size) override {
        if (at_ == piece_.size() && left_ > 0) {
            auto piece = client_.get(key_, offset_, std::min(left_, static_cast<long long>(kReadBytes)));
            if (!piece) return piece.error();
            piece_ = std::move(*piece);
            at_ = 0;
            offset_ += static_cast<long long>(piece_.size());
            left_ = piece_.empty() ? 0 : left_ - static_cast<long long>(piece_.size());
        }
        const std::size_t count = piece_.copy(buffer, size, at_);
        at_ += count;
        return count;
    }

  private:
    S3Client& client_;
    const std::string key_;
    long long left_;
    long long offset_ = 0;
    std::string piece_;
    std::size_t at_ = 0;  // of piece_
};

}  // namespace

S3Store::S3Store(std::unique_ptr<S3Client> client, const std::string& url) : client_(std::move(client)), place_(url) {
    while (place_.ends_with('/')) place_.pop_back();
    const std::string rest = place_.substr(std::string_view("s3://").size());
    const std::size_t slash = rest.find('/');
    if (slash != std::string::npos) prefix_ = rest.substr(slash + 1) + "/";
}

Result<std::unique_ptr<Sink>> S3Store::create(const std::string& name) const {
    const auto there = has(name);
    if (!there) return there.error();
    if (*there) {
        return Error{ErrorKind::conflict, path(name) + " exists, and nothing of a backup is overwritten", "", ""};
    }
    return std::unique_ptr<Sink>(std::make_unique<ObjectSink>(*client_, key(name)));
}

Result<std::unique_ptr<Source>> S3Store::read(const std::string& name) const {
    const auto size = client_->size(key(name));
    if (!size) return size.error();
    if (!*size) return Error{ErrorKind::not_found, "there is no " + path(name), "", ""};
    return std::unique_ptr<Source>(std::make_unique<ObjectSource>(*client_, key(name), **size));
}

Result<bool> S3Store::has(const std::string& name) const {
    const auto size = client_->size(key(name));
    if (!size) return size.error();
    return size->has_value();
}

Result<std::vector<Entry>> S3Store::list(const std::string& directory) const {
    const std::string prefix = key(directory) + "/";
    const auto listing = client_->list(prefix, true);
    if (!listing) return listing.error();
    std::vector<Entry> entries;
    for (const auto& object : listing->objects)
        entries.push_back({.name = object.key.substr(prefix.size()), .bytes = object.bytes});
    for (const std::string& one : listing->directories)
        entries.push_back({.name = one.substr(prefix.size(), one.size() - prefix.size() - 1), .is_directory = true});
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
}

Result<std::vector<Entry>> S3Store::list_all(const std::string& directory) const {
    const std::string prefix = directory.empty() ? prefix_ : key(directory) + "/";
    const auto listing = client_->list(prefix, false);
    if (!listing) return listing.error();
    std::vector<Entry> entries;
    entries.reserve(listing->objects.size());
    for (const auto& object : listing->objects)
        entries.push_back({.name = object.key.substr(prefix.size()), .bytes = object.bytes});
    return entries;
}

Status S3Store::remove(const std::string& name) const {
    const auto listing = client_->list(key(name) + "/", false);
    if (!listing) return listing.error();
    for (const auto& object : listing->objects) {
        if (auto removed = client_->remove(object.key); !removed) return removed;
    }
    return client_->remove(key(name));
}

Status S3Store::remove_unfinished(const std::string& directory) const {
    const auto uploads = client_->unfinished_uploads(key(directory) + "/");
    if (!uploads) return uploads.error();
    for (const auto& upload : *uploads) {
        if (auto aborted = client_->abort_upload(upload); !aborted) return aborted;
    }
    return {};
}

}  // namespace boathouse::backup
