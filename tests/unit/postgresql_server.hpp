// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL cluster of the test's own: made in a scratch directory, reached over a Unix socket in it, gone with its owner.
// PostgreSQL refuses to run as root, so as root it runs as the package's user `postgres`. Nothing of the system's own
// cluster, if there is one, is touched.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attest/store/postgresql.hpp"

namespace casemate::test {

/// Whether commits wait for the disk, as a server in use must. Tests need not: they kill processes, not machines.
enum class Disk { waited_for, not_waited_for };

class PostgresqlServer {
public:
    explicit PostgresqlServer(Disk disk) : fsync_{disk == Disk::waited_for ? "fsync=on" : "fsync=off"} {
        // Not TMPDIR: the package's user must get there, and a socket's path has at most 107 characters.
        std::string pattern = "/tmp/casemate-postgresql-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        directory_ = pattern;
        if (::geteuid() == 0) {
            user_ = ::getpwnam("postgres");
            if (user_ == nullptr || ::chown(directory_.c_str(), user_->pw_uid, user_->pw_gid) != 0) std::abort();
        }
        require(wait(spawn({program("initdb"), "--pgdata", data(), "--username", "casemate", "--auth", "trust", "--encoding",
                            "UTF8", "--locale", "C.UTF-8", "--no-sync"})), "initdb");
        start();
    }
    ~PostgresqlServer() {
        stop(SIGINT);
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    PostgresqlServer(const PostgresqlServer&) = delete;
    PostgresqlServer& operator=(const PostgresqlServer&) = delete;

    void start() {
        server_ = spawn({program("postgres"), "-D", data(), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + directory_,
                         "-c", "max_connections=50", "-c", "shared_buffers=32MB", "-c", fsync_});
        for (int i = 0; i < 1500; ++i) {
            if (wait(spawn({program("pg_isready"), "--quiet", "--host", directory_}))) return;
            ::usleep(20'000);
        }
        require(false, "postgres does not start");
    }
    /// SIGINT: a fast shutdown; SIGQUIT: as if it had crashed.
    void stop(int signal) {
        if (server_ <= 0) return;
        ::kill(server_, signal);
        ::waitpid(std::exchange(server_, -1), nullptr, 0);
    }

    /// A connection string of libpq.
    [[nodiscard]] std::string conninfo(const std::string& database) const {
        return "host=" + directory_ + " user=casemate dbname=" + database;
    }
    /// A new, empty database.
    [[nodiscard]] std::string make_database() {
        const std::string name = "test" + std::to_string(++databases_);
        execute("postgres", "CREATE DATABASE " + name);
        return name;
    }
    void execute(const std::string& database, const std::string& sql) const {
        store::PostgresqlSession{conninfo(database)}.execute(sql.c_str());
    }

    /// A role that must show its password; everybody else here is trusted.
    void make_role_with_password(const std::string& role, const std::string& password) const {
        const std::string file = data() + "/pg_hba.conf";
        std::ifstream in{file};
        const std::string rules{std::istreambuf_iterator<char>{in}, {}};
        std::ofstream{file} << "local all " << role << " scram-sha-256\n" << rules; // the first rule that fits counts
        execute("postgres", "CREATE ROLE " + role + " LOGIN PASSWORD '" + password + "'");
        execute("postgres", "SELECT pg_reload_conf()");
    }

    /// One for all tests of a program.
    static PostgresqlServer& shared() {
        static PostgresqlServer server{Disk::not_waited_for};
        return server;
    }

private:
    [[nodiscard]] std::string data() const { return directory_ + "/data"; }

    /// Debian keeps each version's programs in a directory of its own.
    static std::string program(const char* name) {
        std::string newest;
        for (const auto& version : std::filesystem::directory_iterator{"/usr/lib/postgresql"})
            if (std::filesystem::exists(version.path() / "bin" / name)) newest = std::max(newest, version.path().string());
        require(!newest.empty(), "the package postgresql is missing");
        return newest + "/bin/" + name;
    }
    static void require(bool done, const char* what) {
        if (done) return;
        std::fprintf(stderr, "postgresql_server: %s\n", what);
        std::abort();
    }
    [[nodiscard]] pid_t spawn(std::vector<std::string> arguments) const {
        std::vector<char*> raw;
        for (std::string& argument : arguments) raw.push_back(argument.data());
        raw.push_back(nullptr);
        const pid_t child = ::fork();
        if (child != 0) return child;
        if (user_ != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user_->pw_gid) != 0 || ::setuid(user_->pw_uid) != 0))
            ::_exit(126);
        ::prctl(PR_SET_PDEATHSIG, SIGQUIT); // after setuid, which clears it
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        const int nowhere = ::open("/dev/null", O_RDWR);
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, fd);
        if (::chdir("/") == 0) ::execv(raw[0], raw.data());
        ::_exit(127);
    }
    static bool wait(pid_t child) {
        int status = -1;
        return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

    const std::string fsync_;
    std::string directory_;
    const passwd* user_ = nullptr; // nothing: as who we are
    pid_t server_ = -1;
    int databases_ = 0;
};

} // namespace casemate::test
