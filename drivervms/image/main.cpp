// SPDX-License-Identifier: Apache-2.0
// casemate-image: builds the initial RAM file system of one VM from an unpacked kernel package, chosen modules,
// programs with their libraries, and files; writes the image and a manifest. Same inputs, same bytes.
#include "drivervms/image/cpio.hpp"
#include "drivervms/image/elf_needed.hpp"
#include "drivervms/image/files.hpp"
#include "drivervms/image/modules.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

using namespace casemate::image;
namespace fs = std::filesystem;

namespace {

struct Options {
    fs::path modules; // .../lib/modules/VERSION, with modules.dep
    std::vector<std::string> module_names;
    std::vector<std::string> link_modules;
    std::vector<std::string> programs; // TARGET=SOURCE
    std::vector<std::string> files;    // TARGET=SOURCE
    std::vector<std::string> links;    // TARGET=TEXT
    std::vector<std::string> directories;
    std::string compression = "none";
    fs::path out;
    fs::path manifest;
};

std::pair<std::string, std::string> split(const std::string& assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos) throw std::runtime_error("expected TARGET=SOURCE, not " + assignment);
    return {assignment.substr(0, equals), assignment.substr(equals + 1)};
}

/// Modules go to /lib/modules; each of these lists names its own in the order in which init is to load them, and none
/// that the list before it names.
void add_modules(Archive& archive, const Options& options) {
    const Bytes text = read_file(options.modules / "modules.dep");
    const auto table = ModuleTable::create({text.begin(), text.end()});
    std::set<std::string> listed;
    const auto add_list = [&](const std::vector<std::string>& names, const std::string& list) {
        std::string order;
        for (const auto& name : names)
            for (const auto& path : table.load_order(name)) {
                const std::string target = "/lib/modules/" + module_name(path) + ".ko";
                if (!listed.insert(target).second) continue;
                archive.add(target, {.data = read_module(options.modules / path)});
                order += target + "\n";
            }
        if (!names.empty()) archive.add("/lib/modules/" + list, {.data = {order.begin(), order.end()}});
    };
    add_list(options.module_names, "order");
    add_list(options.link_modules, "order.links");
}

bool is_script(const Bytes& program) { return program.size() > 2 && program[0] == '#' && program[1] == '!'; }

void add_programs(Archive& archive, const Options& options) {
    for (const auto& assignment : options.programs) {
        const auto [target, source] = split(assignment);
        const Bytes program = read_file(source);
        archive.add(target, {.permissions = 0755, .data = program});
        if (is_script(program)) continue;
        for (const auto& [path, library] : libraries_of(source))
            archive.add(path, {.permissions = 0755, .data = read_file(library)});
    }
}

Archive collect(const Options& options) {
    Archive archive;
    // The kernel opens /dev/console for init before anything is mounted.
    archive.add("/dev/console", {NodeKind::character, 0600, {}, 5, 1});
    for (const auto& path : options.directories) archive.add(path, {NodeKind::directory, 0755});
    for (const auto& link : options.links) {
        const auto [target, text] = split(link);
        archive.add(target, {NodeKind::link, 0777, {text.begin(), text.end()}});
    }
    for (const auto& assignment : options.files) {
        const auto [target, source] = split(assignment);
        archive.add(target, {.data = read_file(source)});
    }
    add_programs(archive, options);
    add_modules(archive, options);
    return archive;
}

nlohmann::json manifest_of(const Archive& archive, const Options& options, const Bytes& image) {
    nlohmann::json files = nlohmann::json::array();
    for (const auto& [path, node] : archive.nodes())
        if (node.kind == NodeKind::file)
            files.push_back({{"path", "/" + path}, {"size", node.data.size()}, {"sha256", sha256_hex(node.data)}});
    return {{"version", 1},
            {"image", {{"file", options.out.filename()}, {"size", image.size()}, {"sha256", sha256_hex(image)}}},
            {"compression", options.compression},
            {"kernel_version", fs::canonical(options.modules).filename()},
            {"files", files}};
}

void build(const Options& options) {
    const Archive archive = collect(options);
    const Bytes image = compressed(archive.serialize(), options.compression);
    const std::string manifest = manifest_of(archive, options, image).dump(2) + "\n";
    write_file(options.manifest, {manifest.begin(), manifest.end()});
    write_file(options.out, image);
}

} // namespace

int main(int argc, char** argv) try {
    Options options;
    CLI::App app{"Builds the initial RAM file system of one VM, byte for byte reproducibly."};
    app.add_option("--modules", options.modules, "lib/modules/VERSION of the kernel package")->required();
    app.add_option("--module", options.module_names, "module to include, with all it depends on");
    app.add_option("--link-module", options.link_modules, "likewise, for init to load only in a VM with links");
    app.add_option("--program", options.programs, "TARGET=SOURCE: script, or executable with its libraries");
    app.add_option("--file", options.files, "TARGET=SOURCE: file, mode 0644");
    app.add_option("--link", options.links, "TARGET=TEXT: symbolic link");
    app.add_option("--directory", options.directories, "empty directory");
    app.add_option("--compress", options.compression, "none or zstd");
    app.add_option("--out", options.out)->required();
    app.add_option("--manifest", options.manifest)->required();
    CLI11_PARSE(app, argc, argv);
    build(options);
} catch (const std::exception& error) {
    std::cerr << "casemate-image: " << error.what() << "\n";
    return 1;
}
