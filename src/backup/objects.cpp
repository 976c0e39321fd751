#include "backup/objects.hpp"

#include "backup/sealed.hpp"

namespace boathouse::backup {
namespace {

constexpr std::string_view kCompressed = ".gz";
constexpr std::string_view kSealed = ".sealed";

// A digest of what is stored, kept by its owner beyond the chain.
class Counting final : public Sink {
  public:
    Counting(std::unique_ptr<Sink> below, Digest& digest) : sink_(std::move(below)), digest_(digest) {}
    Status write(std::string_view bytes) override { return sink_.write(bytes); }
    Status finish() override {
        auto finished = sink_.finish();
        digest_ = {sink_.bytes(), sink_.sha256()};
        return finished;
    }

  private:
    DigestSink sink_;
    Digest& digest_;
};

Result<std::unique_ptr<Sink>> sealed_if(std::unique_ptr<Sink> below, const Secret& key) {
    if (key.empty()) return below;
    return seal_sink(std::move(below), key);
}

}  // namespace

Result<Stored> store_object(const Store& store, const std::string& name, const Secret& key, Source& source) {
    Stored stored;
    stored.name = name + std::string(kCompressed) + (key.empty() ? "" : std::string(kSealed));
    auto file = store.create(stored.name);
    if (!file) return file.error();
    auto sealed = sealed_if(std::make_unique<Counting>(std::move(*file), stored.digest), key);
    if (!sealed) return sealed.error();
    const auto chain = gzip_sink(std::move(*sealed));
    if (const auto copied = copy(source, *chain); !copied) return copied.error();
    if (auto finished = chain->finish(); !finished) return finished.error();
    return stored;
}

Result<std::string> stored_name(const Store& store, const std::string& name) {
    const std::string compressed = name + std::string(kCompressed);
    for (const std::string& candidate : {compressed, compressed + std::string(kSealed)}) {
        const auto there = store.has(candidate);
        if (!there) return there.error();
        if (*there) return candidate;
    }
    return std::string();
}

Result<std::unique_ptr<Source>> open_copy(const Store& store, const std::string& stored_name, const Secret& key) {
    auto file = store.read(stored_name);
    if (!file || !stored_name.ends_with(kSealed)) return file;
    return unseal_source(std::move(*file), key, store.path(stored_name));
}

Result<std::unique_ptr<Source>> open_object(const Store& store, const std::string& stored_name, const Secret& key) {
    auto file = open_copy(store, stored_name, key);
    if (!file) return file;
    return gunzip_source(std::move(*file), store.path(stored_name));
}

Result<Digest> store_copy(const Store& store, const std::string& name, const Secret& key, Source& source) {
    auto file = store.create(name);
    if (!file) return file.error();
    auto sealed = sealed_if(std::move(*file), key);
    if (!sealed) return sealed.error();
    Digest digest;
    Counting chain(std::move(*sealed), digest);
    if (const auto copied = copy(source, chain); !copied) return copied.error();
    if (auto finished = chain.finish(); !finished) return finished.error();
    return digest;
}

}  // namespace boathouse::backup
