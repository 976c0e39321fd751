#include "http/extension_mirror.hpp"

#include <openssl/evp.h>
#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

namespace boathouse::http {
namespace {

constexpr const char* kPrefix = "/extensions/";
constexpr const char* kSuffix = ".duckdb_extension";

Error file_error(const std::string& what, const std::string& path) {
    const ErrorKind kind = errno == ENOSPC ? ErrorKind::limit : ErrorKind::permission;
    return {kind, fmt::format("the extension mirror cannot {} {}: {}", what, path, std::strerror(errno)),
            "Check the data directory's tmp/ and the space on its disk.", ""};
}

// SHA-256 of a file's content, in hexadecimal; "" if it cannot be read.
std::string digest(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    std::array<char, 1 << 16> bytes{};
    while (file.read(bytes.data(), bytes.size()), file.gcount() > 0) {
        EVP_DigestUpdate(context.get(), bytes.data(), static_cast<std::size_t>(file.gcount()));
    }
    if (!file.eof()) return "";
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context.get(), sum.data(), &size);
    std::string text;
    for (unsigned int index = 0; index < size; index++) text += fmt::format("{:02x}", sum.at(index));
    return text;
}

Status gzip(const std::string& from, const std::string& to) {
    std::ifstream source(from, std::ios::binary);
    const gzFile target = ::gzopen(to.c_str(), "wb6");
    if (target == nullptr) return file_error("write", to);
    std::array<char, 1 << 16> bytes{};
    bool written = true;
    while (written && (source.read(bytes.data(), bytes.size()), source.gcount() > 0)) {
        const auto size = static_cast<unsigned>(source.gcount());
        written = ::gzwrite(target, bytes.data(), size) == static_cast<int>(size);
    }
    if (::gzclose(target) != Z_OK || !written) return file_error("write", to);
    if (!source.eof()) return file_error("read", from);
    return {};
}

}  // namespace

ExtensionMirror::ExtensionMirror(const std::string& extension_dir, std::string cache_dir)
    : cache_dir_(std::move(cache_dir)) {
    std::error_code ignored;
    namespace fs = std::filesystem;
    for (auto entry = fs::recursive_directory_iterator(extension_dir, ignored); entry != fs::end(entry);
         entry.increment(ignored)) {
        const std::string path = entry->path().string();
        if (entry.depth() != 2 || !path.ends_with(kSuffix)) continue;
        extensions_[kPrefix + entry->path().lexically_relative(extension_dir).string() + ".gz"].source = path;
    }
}

void ExtensionMirror::add_routes(Router& router) {
    router.add({.path = kPrefix, .handler = [this](const Request& request) { return get(request); }});
}

// The compressed file is named by its source's content, so a restart finds it and an upgrade makes a new one.
Status ExtensionMirror::compress(Extension& extension) const {
    const std::string sum = digest(extension.source);
    if (sum.empty()) return file_error("read", extension.source);
    const std::string target = fmt::format("{}/{}.gz", cache_dir_, sum);
    std::error_code failure;
    std::filesystem::create_directories(cache_dir_, failure);
    if (!std::filesystem::exists(target, failure)) {
        const std::string unfinished = target + ".new";
        if (auto status = gzip(extension.source, unfinished); !status) return status;
        std::filesystem::rename(unfinished, target, failure);
        if (failure) {
            errno = failure.value();
            return file_error("write", target);
        }
    }
    extension.etag = "\"" + sum.substr(0, 32) + "\"";
    extension.compressed = target;
    return {};
}

Response ExtensionMirror::get(const Request& request) {
    const auto found = extensions_.find(request.path);
    if (found == extensions_.end()) {
        std::string known;
        for (const auto& [path, extension] : extensions_) known += (known.empty() ? "" : ", ") + path;
        return json_error(boost::beast::http::status::not_found, "this extension is not mirrored: " + request.path,
                          "The mirror holds extensions for the DuckDB of this box only: " + known);
    }
    Extension& extension = found->second;
    const std::lock_guard lock(extension.mutex);
    if (extension.compressed.empty() || !std::filesystem::exists(extension.compressed)) {
        if (auto status = compress(extension); !status) return json_error(status.error());
    }
    Response response;
    response.content_type = "application/gzip";
    response.headers = {{"ETag", extension.etag}, {"Cache-Control", "public, max-age=3600"}};
    if (request.headers["If-None-Match"] == extension.etag) {
        response.status = boost::beast::http::status::not_modified;
    } else {
        response.file = extension.compressed;
    }
    return response;
}

}  // namespace boathouse::http
