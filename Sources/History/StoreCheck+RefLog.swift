import Objects

extension StoreCheck {
  /// Compares the ref log file with the catalog, and tells an end that a crash tore from damage.
  mutating func checkRefLogFile() throws(StoreError) {
    let path = RefLogFile.path
    guard let total = try archive.volume.byteCount(path) else {
      refLogFileIsDamaged = true
      report.add(.init(.damage, "the ref log", path: path, "the file is missing"))
      return
    }
    // The file first: it never gets ahead of a catalog that is in order.
    let bytes = try archive.volume.read(path, from: 0, byteCount: total)
    let moves = try archive.catalog.refLog(ref: nil)
    report.byteCount += total
    let expected = RefLogFile.content(moves)
    let common = zip(bytes, expected).prefix { $0 == $1 }.count
    if common == bytes.count && common == expected.count { return }
    if bytes[common...].allSatisfy({ $0 == 0 }) {
      let lacking = moves.count - (try archive.refLog.intactMoves().count)
      let detail =
        lacking == 0
        ? "its end is torn" : "a crash tore its end or kept it from being written: \(lacking) moves, which the next move adds"
      report.add(.init(.note, "the ref log", path: path, detail))
      return
    }
    let found = try archive.refLog.intactMoves()
    if common == expected.count, let last = found.last, last.sequence > moves.last?.sequence ?? 0 {
      refLogFileIsAhead = true
      let detail = "it ends with move \(last.sequence), the catalog with move \(moves.last?.sequence ?? 0); the catalog is an older copy"
      report.add(.init(.damage, "the catalog", path: Archive.catalogName, detail))
      return
    }
    refLogFileIsDamaged = true
    report.add(.init(.damage, "the ref log", path: path, "it differs from the catalog at byte \(common) of \(bytes.count)"))
  }
}
