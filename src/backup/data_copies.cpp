#include "backup/data_copies.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>

#include "backup/sealed.hpp"

namespace boathouse::backup {
namespace {

namespace json = boost::json;

constexpr const char* kList = "data-files";
constexpr std::size_t kReadBytes = 65536;

// The list's lines, made as they are read.
class Lines final : public Source {
  public:
    explicit Lines(const DataCopies& copies) : next_(copies.begin()), end_(copies.end()) {}
    Result<std::size_t> read(char* buffer, std::size_t size) override {
        if (at_ == line_.size() && next_ != end_) {
            const auto& [path, copy] = *next_++;
            line_ = json::serialize(json::object{{"path", path},
                                                 {"name", copy.name},
                                                 {"bytes", copy.digest.bytes},
                                                 {"sha256", copy.digest.sha256}}) +
                    "\n";
            at_ = 0;
        }
        const std::size_t count = line_.copy(buffer, size, at_);
        at_ += count;
        return count;
    }

  private:
    DataCopies::const_iterator next_, end_;
    std::string line_;
    std::size_t at_ = 0;
};

Status add_line(const std::string& line, const std::string& place, DataCopies& copies) {
    boost::system::error_code malformed;
    const auto value = json::parse(line, malformed);
    try {
        const auto& object = value.as_object();
        copies[std::string(object.at("path").as_string())] = {
            std::string(object.at("name").as_string()),
            {object.at("bytes").to_number<long long>(), std::string(object.at("sha256").as_string())}};
        return {};
    } catch (const std::exception&) {
        return Error{ErrorKind::corrupt, place + " is no list of data files",
                     "Take another backup, or another copy of it.", ""};
    }
}

}  // namespace

std::optional<std::string> path_in_lake(const std::string& path, const std::string& data_path) {
    if (!path.starts_with(data_path)) return std::nullopt;
    std::string place = path.substr(data_path.size());
    const auto steps = std::filesystem::path(place);
    if (steps.is_absolute() || std::find(steps.begin(), steps.end(), "..") != steps.end()) return std::nullopt;
    return place;
}

std::string copies_directory(const std::string& key_id) {
    return std::string(kDataDirectory) + "/" + (key_id.empty() ? "plain" : key_id);
}

std::string copy_name(const std::string& path, const std::string& key_id) {
    return copies_directory(key_id) + "/" + path + (key_id.empty() ? "" : ".sealed");
}

long long stored_bytes(const DataCopy& copy, const std::string& key_id) {
    return key_id.empty() ? copy.digest.bytes : sealed_bytes(copy.digest.bytes);
}

Result<Stored> write_copies(const Store& store, const std::string& directory, const Secret& key,
                            const DataCopies& copies) {
    Lines lines(copies);
    auto stored = store_object(store, directory + "/" + kList, key, lines);
    if (stored) stored->name = stored->name.substr(directory.size() + 1);
    return stored;
}

Result<DataCopies> read_copies(const Store& store, const Manifest& manifest, const Secret& key) {
    const std::string name = base_directory(manifest.id) + "/" + manifest.data->list.name;
    auto source = open_object(store, name, key);
    if (!source) return source.error();
    DataCopies copies;
    std::string text(kReadBytes, '\0');
    std::string rest;
    while (true) {
        const auto count = (*source)->read(text.data(), text.size());
        if (!count) return count.error();
        if (*count == 0) break;
        rest.append(text, 0, *count);
        std::size_t begin = 0;
        for (std::size_t end = 0; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
            if (auto added = add_line(rest.substr(begin, end - begin), store.path(name), copies); !added)
                return added.error();
        }
        rest.erase(0, begin);
    }
    return copies;
}

}  // namespace boathouse::backup
