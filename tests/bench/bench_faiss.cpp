// SPDX-License-Identifier: MIT
// bench_faiss: IndexFlatIP of the installed FAISS on the files of bench_matrix; called by tests/bench/run.
//   bench_faiss DIR N D Q K THREADS      "name value" lines; hits in DIR/faiss.ids
// Milliseconds per query: the median of single queries, the best of the rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <faiss/IndexFlat.h>
#include <omp.h>
#include <string>
#include <vector>

static std::vector<float> read(const std::string &path, size_t count)
{
    std::vector<float> v(count);
    FILE *f = std::fopen(path.c_str(), "rb");
    if (!f || std::fread(v.data(), sizeof(float), count, f) != count)
        std::exit(1);
    std::fclose(f);
    return v;
}

static double now_ms()
{
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    const std::string dir = argv[1];
    const size_t n = std::stoul(argv[2]), d = std::stoul(argv[3]), queries = std::stoul(argv[4]), k = std::stoul(argv[5]);
    const size_t singles = std::min<size_t>(queries, n > 500000 ? 15 : 40);
    omp_set_num_threads(std::stoi(argv[6]));
    std::vector<float> rows = read(dir + "/rows.f32", n * d), q = read(dir + "/queries.f32", queries * d);
    faiss::IndexFlatIP index(static_cast<faiss::Index::idx_t>(d));
    index.add(static_cast<faiss::Index::idx_t>(n), rows.data());
    std::vector<float> score(queries * k);
    std::vector<faiss::Index::idx_t> id(queries * k);
    double best = 1e30, batch = 1e30;
    for (int round = 0; round < 3; round++) {
        std::vector<double> t;
        for (size_t i = 0; i < singles; i++) {
            double start = now_ms();
            index.search(1, q.data() + i * d, static_cast<faiss::Index::idx_t>(k), score.data() + i * k, id.data() + i * k);
            t.push_back(now_ms() - start);
        }
        std::sort(t.begin(), t.end());
        best = std::min(best, t[t.size() / 2]);
    }
    FILE *f = std::fopen((dir + "/faiss.ids").c_str(), "wb");
    for (size_t i = 0; i < singles * k; i++) {
        int id32 = static_cast<int>(id[i]);
        std::fwrite(&id32, sizeof id32, 1, f);
    }
    std::fclose(f);
    for (int round = 0; round < 2; round++) {
        double start = now_ms();
        index.search(static_cast<faiss::Index::idx_t>(queries), q.data(), static_cast<faiss::Index::idx_t>(k), score.data(), id.data());
        batch = std::min(batch, (now_ms() - start) / static_cast<double>(queries));
    }
    std::printf("single_ms %.4f\nbatch_ms %.4f\n", best, batch);
    return 0;
}
