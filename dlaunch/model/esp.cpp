// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/esp.hpp"

#include "dlaunch/model/child.hpp"

#include <set>

namespace casemate::model {
namespace {

namespace fs = std::filesystem;
constexpr Millis tool_limit{120'000};
constexpr std::uintmax_t mebibyte = 1024 * 1024;
constexpr std::uintmax_t smallest = 40 * mebibyte; // FAT32 needs 65525 clusters
constexpr const char* some_day = "1700000000";     // mtools stamps files and volume with it

Status<Error> mtool(std::vector<std::string> command) {
    ChildSpec spec;
    spec.name = command.front();
    spec.command = std::move(command);
    spec.environment = {{"SOURCE_DATE_EPOCH", some_day}, {"MTOOLSRC", "/dev/null"}, {"TZ", "UTC"}};
    return run_tool(std::move(spec), tool_limit);
}

Outcome<std::uintmax_t> sectors_for(const EspFiles& files) {
    std::uintmax_t bytes = smallest;
    for (const auto& [name, file] : files) {
        std::error_code failed;
        bytes += fs::file_size(file, failed) + 4096;
        if (failed) return fail("cannot read " + file.string() + ": " + failed.message());
    }
    return (bytes + bytes / 64) / mebibyte * (mebibyte / 512);
}

/// Parents before children.
std::set<std::string> directories_of(const EspFiles& files) {
    std::set<std::string> found;
    for (const auto& [name, file] : files)
        for (fs::path parent = fs::path{name}.parent_path(); !parent.empty(); parent = parent.parent_path())
            found.insert(parent.string());
    return found;
}

} // namespace

Outcome<EspFiles> list_directory(const fs::path& directory) {
    std::error_code failed;
    EspFiles files;
    for (const auto& entry : fs::recursive_directory_iterator{directory, failed})
        if (entry.is_regular_file()) files[fs::relative(entry.path(), directory).string()] = entry.path();
    if (failed) return fail("cannot read " + directory.string() + ": " + failed.message());
    return files;
}

Status<Error> build_esp(const EspFiles& files, const fs::path& image) {
    std::error_code ignored;
    fs::remove(image, ignored);
    const std::string at = image.string();
    const std::string sectors = std::to_string(TRY(sectors_for(files)));
    TRY(mtool({"mformat", "-i", at, "-C", "-F", "-T", sectors, "-h", "64", "-s", "32", "-c", "1", "-v", "CASEMATE",
               "-N", "CA5E3A7E", "::"}));
    for (const auto& directory : directories_of(files)) TRY(mtool({"mmd", "-i", at, "::/" + directory}));
    for (const auto& [name, file] : files) TRY(mtool({"mcopy", "-i", at, file.string(), "::/" + name}));
    return Done{};
}

} // namespace casemate::model
