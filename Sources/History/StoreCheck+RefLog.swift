import Objects

extension StoreCheck {
  /// Compares the ref log file with the catalog, and tells an end that a crash tore from damage.
  /// - Parameter bytes: the file as it was before the catalog was read; nil: there is none.
  mutating func checkRefLogFile(_ bytes: [UInt8]?) {
    let path = RefLogFile.path
    guard let bytes else {
      refLogFileIsDamaged = true
      report.add(.init(.damage, "the ref log", path: path, "the file is missing"))
      return
    }
    let moves = survey.moves
    report.byteCount += bytes.count
    let expected = RefLogFile.content(moves)
    let common = zip(bytes, expected).prefix { $0 == $1 }.count
    if common == bytes.count && common == expected.count { return }
    let found = RefLogFile.intactMoves(in: bytes)
    if bytes[common...].allSatisfy({ $0 == 0 }) {
      let lacking = moves.count - found.count
      let detail =
        lacking == 0
        ? "its end is torn" : "a crash tore its end or kept it from being written: \(lacking) moves, which the next move adds"
      report.add(.init(.note, "the ref log", path: path, detail))
      return
    }
    let consistent = CatalogAudit.consistentPrefix(found)
    if common == expected.count, consistent.count > moves.count, let last = consistent.last {
      laterMoves = Array(consistent[moves.count...])
      let detail = "it ends with move \(last.sequence), the catalog with move \(moves.last?.sequence ?? 0); the catalog is an older copy"
      report.add(.init(.damage, "the catalog", path: Archive.catalogName, detail))
      return
    }
    refLogFileIsDamaged = true
    let known = Set(moves)
    otherMoves = found.filter { !known.contains($0) }
    report.add(.init(.damage, "the ref log", path: path, "it differs from the catalog at byte \(common) of \(bytes.count)"))
  }
}
