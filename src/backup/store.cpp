#include "backup/store.hpp"

#include "backup/directory_store.hpp"
#include "backup/s3_store.hpp"

namespace boathouse::backup {
namespace {

Result<std::unique_ptr<Store>> open_bucket(const std::string& url, const config::Settings& settings) {
    auto client = S3Client::open(url, settings);
    if (!client) return client.error();
    return std::unique_ptr<Store>(std::make_unique<S3Store>(std::move(*client), url));
}

}  // namespace

Status Store::write_text(const std::string& name, std::string_view text) const {
    auto sink = create(name);
    if (!sink) return sink.error();
    if (auto written = (*sink)->write(text); !written) return written;
    return (*sink)->finish();
}

Result<std::string> Store::read_text(const std::string& name) const {
    auto source = read(name);
    if (!source) return source.error();
    std::string text;
    char buffer[4096];
    while (true) {
        const auto count = (*source)->read(buffer, sizeof(buffer));
        if (!count) return count.error();
        if (*count == 0) return text;
        text.append(buffer, *count);
    }
}

Result<std::unique_ptr<Store>> make_store(const config::Settings& settings) {
    return config::is_s3(settings.backup_to) ? open_bucket(settings.backup_to, settings)
                                             : DirectoryStore::make(settings.backup_to, Readers::owner);
}

Result<std::unique_ptr<Store>> open_store(const config::Settings& settings) {
    return config::is_s3(settings.backup_to) ? open_bucket(settings.backup_to, settings)
                                             : DirectoryStore::open(settings.backup_to);
}

Result<std::unique_ptr<Store>> make_lake_store(const std::string& data_path, const config::Settings& settings) {
    return config::is_s3(data_path) ? open_bucket(data_path, settings)
                                    : DirectoryStore::make(data_path, Readers::everyone);
}

}  // namespace boathouse::backup
