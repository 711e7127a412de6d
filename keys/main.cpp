// SPDX-License-Identifier: Apache-2.0
// casemate-keys: makes the development keys of one checkout. `init DIR` keeps every file that exists.
#include "keys/certificates.hpp"
#include "keys/key_files.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

namespace {

using namespace casemate::keys;

void make_signing_key(const PrivateDirectory& directory, const std::string& name) {
    const PrivateKey key = ensure_private_key(directory, name + ".pem");
    ensure_public_key(directory, name + ".pub.pem", *key);
}

void make_tls(const PrivateDirectory& directory) {
    const PrivateKey authority_key = ensure_private_key(directory, "ca.key.pem");
    const Certificate authority = ensure_authority(directory, "ca.pem", "Casemate development authority", *authority_key);
    const PrivateKey server_key = ensure_private_key(directory, "server.key.pem");
    ensure_server(directory, "server.pem", *server_key, {*authority, *authority_key});
}

/// Apart from the server's authority: who can issue a server certificate makes no operators.
void make_operator(const PrivateDirectory& directory) {
    const PrivateKey authority_key = ensure_private_key(directory, "operator-ca.key.pem");
    const Certificate authority =
        ensure_authority(directory, "operator-ca.pem", "Casemate development operators", *authority_key);
    const PrivateKey key = ensure_private_key(directory, "operator.key.pem");
    ensure_client(directory, "operator.pem", *key, {*authority, *authority_key});
    ensure_token(directory, "operator.token");
}

void init(const std::string& path) {
    const PrivateDirectory directory = PrivateDirectory::create(path);
    make_signing_key(directory, "owner");
    make_signing_key(directory, "grant");
    make_signing_key(directory, "audit");
    make_signing_key(directory, "result");
    make_tls(directory);
    make_operator(directory);
    std::printf("development keys are in %s\n", path.c_str());
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app{"Makes the development keys of one checkout; never overwrites a file."};
    app.require_subcommand(1);
    std::string directory;
    app.add_subcommand("init", "make what is missing")->add_option("DIR", directory, "where")->required();
    CLI11_PARSE(app, argc, argv);
    try {
        init(directory);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "casemate-keys: %s\n", error.what());
        return 1;
    }
}
