import Columns

/// Finds the narrowest types that keep every value of a file's first part.
struct CSVSurvey: Sendable {
  let form: CSVForm
  /// Which columns are to be looked at.
  let isWanted: [Bool]
  /// Which of them hold what names something.
  let isName: [Bool]
  let nullTokens: NullTokens

  /// - Throws: `TextError` where the sample is malformed.
  /// - Complexity: O(sample), on all processors
  func types(_ start: CSVChunks, sampleByteCount: Int) throws(TextError) -> [DataType] {
    var chunks = start
    var sample: [TextChunk] = []
    while chunks.position - start.position < sampleByteCount {
      let left = sampleByteCount - (chunks.position - start.position)
      guard let chunk = try chunks.next(byteCountMax: left) else { break }
      sample.append(chunk)
    }
    let parts = try? parallelMap(sample) { chunk in evidence(chunk) }
    var found = [ColumnEvidence](repeating: ColumnEvidence(), count: isWanted.count)
    for (chunk, part) in zip(sample, parts ?? []) {
      switch part {
      case .success(let evidence):
        for index in found.indices { found[index].kinds.formUnion(evidence[index].kinds) }
      case .failure(let error): throw chunks.failure(error, chunk.offset)
      }
    }
    return zip(found, isName).map { $1 ? $0.nameType : $0.type }
  }

  private func evidence(_ chunk: TextChunk) -> Result<[ColumnEvidence], TextError> {
    chunk.bytes.withBytes { raw in
      let block = CSVBlock(fieldCount: isWanted.count, rowMax: .max)
      var tokenizer = CSVTokenizer(raw, form, fieldCount: isWanted.count)
      var found = [ColumnEvidence](repeating: ColumnEvidence(), count: isWanted.count)
      do throws(TextError) {
        while true {
          let rows = try tokenizer.scan(block.cells, rowMax: block.rowMax)
          if rows == 0 { return .success(found) }
          for index in found.indices where isWanted[index] && !found[index].isText {
            let cells = block.column(index, of: raw, rowCount: rows, isASCII: false, nullTokens: nullTokens)
            note(cells, &found[index])
          }
        }
      } catch {
        return .failure(error)
      }
    }
  }

  private func note(_ cells: CSVColumnCells, _ evidence: inout ColumnEvidence) {
    var found = evidence
    for row in 0..<cells.count {
      guard let (start, length, _) = cells.text(row), length > 0 else { continue }
      found.note(cell: UnsafeRawBufferPointer(start: start, count: length))
      if found.isText { break }
    }
    evidence = found
  }
}
