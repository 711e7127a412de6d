// SPDX-License-Identifier: Apache-2.0
// Writers share commits: each change whole or not at all, on the disk when its writer goes on, and no writer's failure is
// another's.
#include <catch2/catch.hpp>

#include <thread>
#include <vector>

#include <sqlite3.h>

#include "attest/store/write_group.hpp"
#include "tests/unit/verifier_scratch.hpp"

using namespace casemate;
using namespace casemate::store;

namespace {

struct Opened {
    Opened() { connection.execute("CREATE TABLE numbers (value INTEGER PRIMARY KEY)"); }
    void insert(std::int64_t value) { Statement{connection, "INSERT INTO numbers (value) VALUES (?)"}.bind(value).run(); }
    /// As another process sees it: what is committed.
    [[nodiscard]] std::int64_t committed() const {
        Connection other{directory / "db", Connection::Use::read};
        Statement count{other, "SELECT count(*) FROM numbers"};
        return count.step() ? count.integer(0) : -1;
    }
    /// Could another process write now?
    [[nodiscard]] bool unlocked() const {
        Connection other{directory / "db"};
        sqlite3_busy_timeout(other.handle(), 0);
        return sqlite3_exec(other.handle(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK;
    }

    test::ScratchDirectory directory;
    Connection connection{directory / "db"};
    WriteGroup group{connection};
};

} // namespace

TEST_CASE("a turn that is taken back leaves nothing, one that is committed is seen by others", "[store]") {
    Opened opened;
    opened.group.begin();
    opened.insert(1);
    opened.group.rollback();
    CHECK(opened.committed() == 0);
    CHECK(opened.unlocked());
    opened.group.begin();
    opened.insert(2);
    CHECK_FALSE(opened.unlocked());
    opened.group.commit();
    CHECK(opened.committed() == 1);
    CHECK(opened.unlocked());
    opened.group.rollback(); // of nobody's turn
    CHECK(opened.committed() == 1);
}

TEST_CASE("a turn that is kept for later is on the disk after settle, or after the thread's next commit", "[store]") {
    Opened opened;
    opened.group.begin();
    opened.insert(1);
    opened.group.commit_later();
    CHECK(opened.committed() == 0);
    opened.group.begin(); // does not take the first one with it
    opened.insert(2);
    opened.group.rollback();
    opened.group.settle();
    CHECK(opened.committed() == 1);
    CHECK(opened.unlocked());
    opened.group.begin();
    opened.insert(3);
    opened.group.commit_later();
    opened.group.begin();
    opened.insert(4);
    opened.group.commit();
    CHECK(opened.committed() == 3);
    opened.group.settle(); // nothing to wait for
    CHECK(opened.unlocked());
}

TEST_CASE("what was kept for later is committed when the group ends", "[store]") {
    const test::ScratchDirectory directory;
    Connection connection{directory / "db"};
    connection.execute("CREATE TABLE numbers (value INTEGER PRIMARY KEY)");
    {
        WriteGroup group{connection};
        group.begin();
        connection.execute("INSERT INTO numbers (value) VALUES (1)");
        group.commit_later();
    }
    Connection other{directory / "db", Connection::Use::read};
    Statement count{other, "SELECT count(*) FROM numbers"};
    REQUIRE(count.step());
    CHECK(count.integer(0) == 1);
}

TEST_CASE("of many writers at once each finds its change committed, and none of those that gave up", "[store]") {
    Opened opened;
    constexpr int writers = 8, changes = 40;
    std::atomic<int> missing{0};
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer)
        threads.emplace_back([&, writer] {
            Connection other{opened.directory / "db", Connection::Use::read};
            for (int i = 0; i < changes; ++i) {
                const std::int64_t value = writer * 1000 + i;
                opened.group.begin();
                opened.insert(value);
                if (i % 4 == 0) opened.group.commit();
                else if (i % 4 == 1) opened.group.commit_later();
                else if (i % 4 == 2) opened.group.rollback();
                else {
                    try {
                        opened.insert(value); // the statement fails, and with it this turn only
                    } catch (const StoreFailure&) {
                        opened.group.rollback();
                    }
                }
                Statement found{other, "SELECT 1 FROM numbers WHERE value = ?"};
                found.bind(value);
                if (i % 4 == 0 && !found.step()) ++missing;
            }
            opened.group.settle();
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(missing == 0);
    CHECK(opened.committed() == writers * changes / 2);
    CHECK(opened.unlocked());
}

TEST_CASE("a commit that fails is told to who made it, and to who kept something for later before it", "[store]") {
    Opened opened;
    opened.connection.execute("CREATE TABLE others (value INTEGER REFERENCES numbers(value) DEFERRABLE INITIALLY DEFERRED)");
    opened.group.begin();
    opened.connection.execute("INSERT INTO others VALUES (5)"); // checked at the commit, which fails
    opened.group.commit_later();
    opened.group.begin();
    opened.insert(1);
    CHECK_THROWS_AS(opened.group.commit(), StoreFailure);
    opened.group.rollback(); // as its unit does: of nothing
    opened.group.begin();
    opened.connection.execute("INSERT INTO others VALUES (6)");
    opened.group.commit_later();
    CHECK_THROWS_AS(opened.group.settle(), StoreFailure);
    opened.group.begin();
    opened.insert(2);
    opened.group.commit();
    CHECK(opened.committed() == 1);
}

TEST_CASE("when the database ends the shared transaction by itself, nobody is told that it was stored", "[store]") {
    Opened opened;
    opened.group.begin();
    opened.insert(1);
    opened.group.commit_later();
    opened.group.begin();
    opened.insert(2);
    opened.connection.execute("ROLLBACK"); // what SQLite does when the disk is full
    CHECK_THROWS_AS(opened.group.commit(), StoreFailure);
    opened.group.rollback();
    CHECK_THROWS_AS(opened.group.settle(), StoreFailure);
    CHECK(opened.committed() == 0);
    opened.group.begin();
    opened.insert(3);
    opened.group.commit();
    CHECK(opened.committed() == 1);
}

TEST_CASE("a connection that reads changes nothing", "[store]") {
    Opened opened;
    Connection reader{opened.directory / "db", Connection::Use::read};
    CHECK_THROWS_AS(reader.execute("INSERT INTO numbers (value) VALUES (1)"), StoreFailure);
}
