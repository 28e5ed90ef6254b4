import Columns

extension Gate {
  /// The batch with the contract's columns, in the contract's order and types.
  ///
  /// Only lossless conversions are made. A nullable column that the input does not have is filled with nulls; columns
  /// that the contract does not have are refused.
  /// - Parameters:
  ///   - source: the input's name, for messages.
  ///   - firstRow: how many rows of the input came before; messages count from 1.
  ///   - needsKeyAlone: whether required columns beside the primary key may be absent too, as for rows that exist and keep
  ///     what they have there.
  /// - Throws: `CheckError` naming source, column, expected and found.
  /// - Complexity: O(columns), and O(rows) for each column that has another type.
  package func conform(
    _ batch: Batch, source: String, firstRow: Int, needsKeyAlone: Bool = false
  ) throws(CheckError) -> Batch {
    let wanted = contract.columns
    func refuse(_ text: String) -> CheckError { CheckError(file: source, "Cannot use these rows for \(contract.name): \(text)") }
    let found = batch.schema.fields.map(\.name)
    for (index, name) in found.enumerated() where found[..<index].contains(name) {
      throw refuse("column \(name) stands twice in the input")
    }
    let needed = needsKeyAlone ? wanted.filter { contract.primaryKey.contains($0.name) } : wanted.filter(\.isRequired)
    let missing = needed.map(\.name).filter { !found.contains($0) }
    guard missing.isEmpty else {
      let columns = missing.count == 1 ? "column \(missing[0]) is missing" : "columns \(missing.joined(separator: ", ")) are missing"
      throw refuse("\(columns); the contract requires \(missing.count == 1 ? "it" : "them")")
    }
    for name in found where contract[column: name] == nil {
      let suggestion = Suggestion.text(for: name, among: wanted.map(\.name).filter { !found.contains($0) })
      throw refuse("column \(name) is not in the contract\(suggestion)")
    }
    var columns: [Column] = []
    for column in wanted {
      guard let given = batch[column.name] else {
        columns.append(Column(column.type, repeating: .null, count: batch.rowCount))
        continue
      }
      do throws(CastError) {
        columns.append(try given.fitted(to: column.type, isKey: contract.primaryKey.contains(column.name)))
      } catch {
        throw refuse(Self.text(of: error, column: column, given: given, firstRow: firstRow))
      }
    }
    let schema = Schema(wanted.map { Field($0.name, $0.type, isNullable: !$0.isRequired) })
    return Batch(schema: schema, columns: columns, rowCount: batch.rowCount)
  }

  private static func text(of error: CastError, column: ContractColumn, given: Column, firstRow: Int) -> String {
    let expected = "column \(column.name) is \(given.type), \(column.type) in the contract"
    switch error.reason {
    case .unsupported: return "\(expected), and there is no lossless conversion"
    case .value(let row, let value):
      return "\(expected), and row \(firstRow + row + 1) holds \(value.text), which \(column.type) cannot hold exactly"
    case .ambiguous(let row, let value):
      return "\(expected), and row \(firstRow + row + 1) holds \(value.text), to which \(given.type) rounds several integers; "
        + "give it as an integer"
    }
  }
}

extension Column {
  /// A lossless cast; a column without any value has no type of its own and fits every type.
  fileprivate func fitted(to target: DataType, isKey: Bool) throws(CastError) -> Column {
    if type == target { return self }
    if nullCount == count { return Column(target, repeating: .null, count: count) }
    // A row's key must not be that of another row which the producer's floats rounded to it.
    return try cast(to: target, unambiguous: isKey)
  }
}
