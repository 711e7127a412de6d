// SPDX-License-Identifier: Apache-2.0
// casemate-keys: makes the keys of owners, verifier and operator, changes signing keys with overlap, and says what expires when. No file that
// exists is ever overwritten. With --development keys are marked, and a production build takes none of them. Exit status: 0 done; 1 not done, or
// something in the directory has expired.
#include "attest/keystore/open_key.hpp"
#include "keys/certificates.hpp"
#include "keys/key_files.hpp"
#include "keys/rotation.hpp"
#include "keys/status.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>

namespace {

using namespace casemate::keys;

struct Place {
    PrivateDirectory directory;
    Purpose purpose;
};

PrivateKey key_in(const Place& place, const std::string& name) { return ensure_private_key(place.directory, name, place.purpose); }

std::string authority_name(const Place& place, const char* what) {
    return std::string{"Casemate "} + (place.purpose == Purpose::development ? "development " : "") + what;
}

void make_tls(const Place& place) {
    const PrivateKey authority_key = key_in(place, "ca.key.pem");
    const Certificate authority = ensure_authority(place.directory, "ca.pem", authority_name(place, "authority").c_str(), *authority_key);
    const PrivateKey server_key = key_in(place, "server.key.pem");
    ensure_server(place.directory, "server.pem", *server_key, {*authority, *authority_key});
}

/// Apart from the server's authority: who can issue a server certificate makes no operators.
void make_operator(const Place& place) {
    const PrivateKey authority_key = key_in(place, "operator-ca.key.pem");
    const Certificate authority =
        ensure_authority(place.directory, "operator-ca.pem", authority_name(place, "operators").c_str(), *authority_key);
    const PrivateKey key = key_in(place, "operator.key.pem");
    ensure_client(place.directory, "operator.pem", *key, {*authority, *authority_key});
    ensure_token(place.directory, "operator.token");
}

struct Options {
    std::string directory, name, key, key_secret;
    bool development = false, finish = false, json = false;
    int days = 730;

    [[nodiscard]] Place place() const {
        const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
        if (name.size() > 32 || !std::all_of(name.begin(), name.end(), fits)) throw KeyError{"a key's name has 1 to 32 of a-z 0-9 -"};
        return {PrivateDirectory::create(directory), development ? Purpose::development : Purpose::production};
    }
    [[nodiscard]] Place place_that_is_there() const {
        if (!std::filesystem::is_directory(directory)) throw KeyError{"there is no directory " + directory};
        return place();
    }
};

int init(const Options& options) {
    const Place place = options.place();
    for (const char* name : {"owner", "grant", "audit", "result"}) make_signing_key(place.directory, name, place.purpose, options.days);
    make_tls(place);
    make_operator(place);
    std::printf("%s keys are in %s\n", options.development ? "development" : "production", options.directory.c_str());
    return 0;
}

/// The certificate of a key that stays where it is: in a token, or in a TPM.
int certify(const Options& options) {
    if (options.development) throw KeyError{"--development is for keys that this makes"};
    const auto device = casemate::keystore::open_key(options.key, options.key_secret);
    if (!device.ok()) throw KeyError{device.error()};
    certify_device_key(options.place().directory, options.name, device.value(), options.days);
    std::printf("%s.pub.pem and %s.crt.pem are in %s\n", options.name.c_str(), options.name.c_str(), options.directory.c_str());
    return 0;
}

int make(const Options& options) {
    if (!options.key.empty()) return certify(options);
    const Place place = options.place();
    make_signing_key(place.directory, options.name, place.purpose, options.days);
    std::printf("%s.pem, %s.pub.pem and %s.crt.pem are in %s\n", options.name.c_str(), options.name.c_str(), options.name.c_str(), options.directory.c_str());
    return 0;
}

int rotate(const Options& options) {
    const Place place = options.place_that_is_there();
    if (options.finish) {
        const std::string id = finish_rotation(place.directory, options.name, place.purpose);
        std::printf("%s is key %s now\n", options.name.c_str(), id.c_str());
        return 0;
    }
    begin_rotation(place.directory, options.name, place.purpose, options.days);
    std::printf("%s.next is ready: let it count everywhere beside %s, then run this again with --finish\n", options.name.c_str(), options.name.c_str());
    return 0;
}

int status(const Options& options) {
    const std::int64_t now = std::time(nullptr);
    const auto all = status_of(options.place_that_is_there().directory);
    std::fputs((options.json ? json_of(all, now) : table_of(all, now)).c_str(), stdout);
    return std::all_of(all.begin(), all.end(), [now](const CertificateStatus& each) { return each.counts(now); }) ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Keys of owners, verifier and operator; never overwrites a file (keys/README.md)."};
    app.name("casemate keys");
    app.require_subcommand(1);
    Options options;
    int (*run)(const Options&) = nullptr;
    const auto add = [&](const char* name, const char* text, int (*command)(const Options&)) {
        CLI::App* const made = app.add_subcommand(name, text);
        made->add_option("DIR", options.directory, "where: a directory that nobody else can enter")->required();
        made->callback([&run, command] { run = command; });
        return made;
    };
    CLI::App* const init_command = add("init", "make what is missing (keys/README.md says who should hold which)", init);
    CLI::App* const make_command = add("make", "one signing key with its certificate: an owner's, an approval key; or the certificate of one in a device", make);
    CLI::Option* const key = make_command->add_option("--key", options.key, "no new key: the certificate of one that is in a device, pkcs11:... or tpm:... (docs/interfaces/grant-key.md)");
    make_command->add_option("--key-secret", options.key_secret, "file with the PIN or password of that device, mode 0600")->type_name("FILE")->needs(key);
    CLI::App* const rotate_command = add("rotate", "a successor of a signing key, NAME.next; with --finish it takes the name", rotate);
    rotate_command->add_flag("--finish", options.finish, "the old key becomes NAME.old-ID");
    add("status", "what expires when; status 1 when something has", status)->add_flag("--json", options.json, "say it in JSON");
    for (CLI::App* const each : {make_command, rotate_command}) each->add_option("NAME", options.name, "1 to 32 of a-z 0-9 -")->required();
    for (CLI::App* const each : {init_command, make_command, rotate_command}) {
        each->add_flag("--development", options.development, "marked: a production build refuses them");
        each->add_option("--days", options.days, "how long new certificates of signing keys are good")->check(CLI::Range(1, 3650))->capture_default_str();
    }
    CLI11_PARSE(app, argc, argv);
    try {
        return run(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "casemate-keys: %s\n", error.what());
        return 1;
    }
}
