#include "base/install_layout.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace boathouse {
namespace {

namespace fs = std::filesystem;

class InstallLayout : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "boathouse-layout-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
    }
    void TearDown() override { fs::remove_all(root_); }

    fs::path add_executable(const std::string& relative) {
        const fs::path path = root_ / relative;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << "#!/bin/sh\n";
        fs::permissions(path, fs::perms::owner_all);
        return path;
    }
    fs::path add_directory(const std::string& relative) {
        fs::create_directories(root_ / relative);
        return root_ / relative;
    }

    fs::path root_;
};

TEST_F(InstallLayout, BuildTreeHasAllSideBySide) {
    const fs::path self = add_executable("boathouse");
    const fs::path engine = add_executable("boathouse-engine");
    const fs::path extensions = add_directory("extensions");
    EXPECT_EQ(engine_executable(self).value(), engine);
    EXPECT_EQ(extension_directory(self).value(), extensions);
    EXPECT_EQ(extension_directory(engine).value(), extensions);
}

TEST_F(InstallLayout, PrefixIsFoundFromBothExecutables) {
    const fs::path self = add_executable("bin/boathouse");
    const fs::path engine = add_executable("libexec/boathouse/boathouse-engine");
    const fs::path extensions = add_directory("lib/boathouse/extensions");
    EXPECT_EQ(engine_executable(self).value(), engine);
    EXPECT_EQ(extension_directory(self).value(), extensions);
    EXPECT_EQ(extension_directory(engine).value(), extensions);
}

TEST_F(InstallLayout, AnEngineThatCannotBeExecutedIsPassedOver) {
    const fs::path self = add_executable("bin/boathouse");
    fs::permissions(add_executable("bin/boathouse-engine"), fs::perms::owner_read);
    const fs::path engine = add_executable("libexec/boathouse/boathouse-engine");
    EXPECT_EQ(engine_executable(self).value(), engine);
}

TEST_F(InstallLayout, AnIncompleteInstallationNamesEveryPlace) {
    const fs::path self = add_executable("bin/boathouse");
    const auto engine = engine_executable(self);
    ASSERT_TRUE(engine.has_error());
    EXPECT_EQ(engine.error().kind, ErrorKind::not_found);
    EXPECT_NE(engine.error().message.find((root_ / "bin/boathouse-engine").string()), std::string::npos);
    EXPECT_NE(engine.error().message.find((root_ / "libexec/boathouse/boathouse-engine").string()), std::string::npos);
    EXPECT_EQ(extension_directory(self).error().kind, ErrorKind::not_found);
}

TEST_F(InstallLayout, OwnExecutableIsThisTestProgram) {
    const fs::path self = own_executable().value();
    EXPECT_TRUE(self.is_absolute());
    EXPECT_EQ(self.filename(), "boathouse_base_test");
}

TEST_F(InstallLayout, ABuildTreeLinksTheExtensionsBesideItsExecutables) {
    const fs::path extensions = extension_directory().value();
    std::size_t found = 0;
    for (const auto& entry : fs::recursive_directory_iterator(extensions)) {
        if (entry.path().filename() == "ducklake.duckdb_extension") ++found;
    }
    EXPECT_EQ(found, 1u);
}

}  // namespace
}  // namespace boathouse
