import Columns
import Testing
import Glibc

@Suite(.enabled(if: getenv("KT") != nil), .serialized) struct ZTiming {
  func time(_ name: String, _ body: () -> Void) {
    var best = Duration.seconds(1000)
    var all: [Duration] = []
    for _ in 0..<3 { let d = ContinuousClock().measure(body); best = min(best, d); all.append(d) }
    print("TIME", name, best)
  }
  @Test func all() {
    var r = SeededRandom(seed: 5)
    let n = 10_000_000
    func ints(_ n: Int, _ f: (UInt64) -> Int64, _ t: DataType = .int64) -> Column {
      var b = ColumnBuilder(t, capacity: n)
      for _ in 0..<n { b.append(f(r.next())) }
      return b.finish()
    }
    func strings(_ n: Int, _ f: (UInt64) -> String) -> Column {
      var b = ColumnBuilder(.string, capacity: n)
      for _ in 0..<n { b.append(string: f(r.next())) }
      return b.finish()
    }
    let full = ints(n) { Int64(bitPattern: $0) }
    let users = ints(n) { Int64($0 % 100_000) }
    let hashed = ints(n) { Int64(bitPattern: ($0 % 100_000) &* 0x9e37_79b9_7f4a_7c15) }
    let ts = ints(n, { 1_700_000_000_000_000 + Int64($0 % (1 << 45)) }, .timestampMicros)
    time("sort full,full") { _ = SortKernel.permutation(by: [full, full]) }
    time("sort users,ts (packed)") { _ = SortKernel.permutation(by: [users, ts]) }
    time("sort hashed,ts") { _ = SortKernel.permutation(by: [hashed, ts]) }
    let p = SortKernel.permutation(by: [users, ts])!
    let su = users.take(p), st = ts.take(p)
    time("sorted check") { _ = SortKernel.permutation(by: [su, st]) }
    time("dup check") { _ = SortKernel.firstDuplicate(in: [su, st]) }
    time("take random 10M i64") { _ = users.take(p) }
    let iota = (0..<Int32(n)).map { $0 }
    time("take iota 10M i64") { _ = users.take(iota) }
    time("canonicalized f64") { _ = ts.reinterpreted(as: .float64).canonicalized() }
    time("equals") { _ = ts.equalsExactly(ts) }
    let half = su.slice(from: 0, count: n / 2), half2 = su.slice(from: n / 2, count: n / 2)
    time("merge self interleaved") { _ = SortKernel.merge([su.slice(from: 0, count: 5_000_000), st.slice(from: 0, count: 5_000_000)], [su.slice(from: 100, count: 5_000_000), st.slice(from: 100, count: 5_000_000)]) }
    _ = (half, half2)
    let m = 5_000_000
    let names = strings(m) { "user_\($0 % 1_000_000)" }
    let i5 = su.slice(from: 0, count: m), t5 = st.slice(from: 0, count: m)
    time("encodeAll i,ts,s") { _ = try? KeyEncoder.encodeAll([i5, t5, names], rows: 0..<m) }
    time("encodeAll i,ts") { _ = try? KeyEncoder.encodeAll([i5, t5], rows: 0..<m) }
    time("sort names 5M") { _ = SortKernel.permutation(by: [names]) }
    time("sort names,ts 5M") { _ = SortKernel.permutation(by: [names, t5]) }
    let p5 = SortKernel.permutation(by: [names])!
    time("take names 5M") { _ = names.take(p5) }
    time("concat names") { _ = Column.concatenate([names, names]) }
    time("cast i64->f64 10M") { _ = try? users.cast(to: .float64) }
    time("filter 10M half") { _ = users.filter(Bitmap(count10M)) }
  }
  let count10M = (0..<10_000_000).map { $0 % 3 == 0 }
}
