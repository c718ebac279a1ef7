"""Everything that reads what others have written, with what nobody would write: mutations of real requests and answers.

`make test` tries a few hundred, always the same in the gate; `make fuzz MINUTES=10` tries others as long as it is told.
An input that made something fail is kept in found/ and tried each time: TARGET-NAME holds its bytes.
"""
